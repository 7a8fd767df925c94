import { readFileSync } from 'node:fs';
import { type ApiPrompt, apiPromptSchema } from '@comfy-bridge/protocol';
import type { ComfyMessage } from './comfy-messages.ts';
import { parseComfyMessage } from './parse-comfy-message.ts';
import { toRecord, toText } from './read-fields.ts';

/** What a real ComfyUI sent for one prompt, from the socket's hello to `executing` with node null. */
export interface Recording {
  prompt: ApiPrompt;
  promptId: string;
  frames: (string | Buffer)[];
  messages: ComfyMessage[];
  /** The answer of `GET /history/{id}`. */
  history: unknown;
}

export const recordingNames = [
  'success',
  'partly-cached',
  'all-cached',
  'error',
  'interrupted',
  'text',
  'preview-with-metadata',
  'preview-legacy',
  'text-to-image',
] as const;

/** For tests: one line each for the prompt, for every frame, and for the history. */
export function readRecording(name: (typeof recordingNames)[number]): Recording {
  const text = readFileSync(new URL(`./fixtures/${name}.jsonl`, import.meta.url), 'utf8');
  const rows = text
    .trim()
    .split('\n')
    .map((line) => toRecord(JSON.parse(line)));
  const frames = rows
    .slice(1, -1)
    .map((row) =>
      typeof row['binary'] === 'string' ? Buffer.from(row['binary'], 'base64') : JSON.stringify(row['text']),
    );
  const history = rows.at(-1)?.['history'];
  return {
    prompt: apiPromptSchema.parse(rows[0]?.['prompt']),
    promptId: toText(Object.keys(toRecord(history))[0]),
    frames,
    messages: frames.map(parseComfyMessage),
    history,
  };
}
