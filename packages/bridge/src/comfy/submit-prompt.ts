import type { ApiNode, ApiPrompt } from '@comfy-bridge/protocol';
import { stringifyLossless } from '../lib/lossless-json.ts';
import { ComfyError } from './comfy-error.ts';
import { type DonorRefusal, parseDonorRefusal } from './donor-status.ts';
import { type CallOptions, type ComfyHttp, MEGABYTE, parseJsonAnswer, unusableStatus } from './comfy-http.ts';
import {
  type NodeValidation,
  type PromptRejection,
  parseNodeErrors,
  parsePromptRejection,
} from './prompt-rejection.ts';
import { isRecord } from '../lib/is-record.ts';
import { toId } from './read-fields.ts';

export interface PromptSubmission extends CallOptions {
  prompt: ApiPrompt;
  /** A lower-case UUID: newer versions take nothing else, the oldest ignore it. Never one that may still be queued. */
  promptId: string;
  /** The session whose socket gets the events. */
  clientId: string;
  /** Asks for live previews, where the server lets a prompt choose. */
  previews?: boolean;
  /** For nodes that call paid services; ComfyUI hands it to them and keeps it out of its history. */
  extraData?: Readonly<Record<string, string>> | undefined;
}

export type SubmitOutcome =
  /** `promptId` is the server's and may differ. `nodeErrors`: outputs that will not run; the others do. */
  | { ok: true; promptId: string; nodeErrors: NodeValidation[] }
  | { ok: false; rejection: PromptRejection }
  /** A machine that is lent does not take it now; nothing is queued. */
  | { ok: false; refusal: DonorRefusal };

/** `POST /prompt`. After a failure without an answer the prompt may be queued: look for its id before trying again. */
export async function submitPrompt(http: ComfyHttp, submission: PromptSubmission): Promise<SubmitOutcome> {
  const { prompt, promptId, clientId, previews = false, extraData, ...call } = submission;
  const answer = await http.send({
    ...call,
    method: 'POST',
    path: '/prompt',
    headers: { 'content-type': 'application/json' },
    body: stringifyLossless({
      prompt: mapNodes(prompt),
      prompt_id: promptId,
      client_id: clientId,
      ...((previews || extraData !== undefined) && {
        extra_data: { ...extraData, ...(previews && { preview_method: 'auto' }) },
      }),
    }),
    maxBytes: 16 * MEGABYTE, // Each error repeats its input's whole list of options.
  });
  if (answer.status === 400) return { ok: false, rejection: toRejection(parseErrorBody(answer)) };
  if (answer.status !== 200) {
    const refusal = parseDonorRefusal(answer.status, parseErrorBody(answer));
    if (refusal !== undefined) return { ok: false, refusal };
    throw unusableStatus(answer.status, 'POST /prompt');
  }
  const json = parseJsonAnswer(answer, 'POST /prompt');
  const takenAs = isRecord(json) ? toId(json['prompt_id']) : undefined;
  if (!isRecord(json) || takenAs === undefined) {
    throw new ComfyError('malformed', 'POST /prompt: the answer has no prompt_id', { status: 200 });
  }
  return { ok: true, promptId: takenAs, nodeErrors: parseNodeErrors(json['node_errors']) };
}

function parseErrorBody(answer: Parameters<typeof parseJsonAnswer>[0]): unknown {
  try {
    return parseJsonAnswer(answer, 'POST /prompt');
  } catch {
    return undefined; // Not ComfyUI's own error, but some proxy's.
  }
}

function toRejection(json: unknown): PromptRejection {
  const rejection = parsePromptRejection(json);
  if (rejection === undefined) throw unusableStatus(400, 'POST /prompt');
  return rejection;
}

/** ComfyUI reads only the title; the rest of `_meta` is the author's, and would be written into every saved image. */
function mapNodes(prompt: ApiPrompt): Record<string, ApiNode> {
  const nodes: [string, ApiNode][] = Object.entries(prompt).map(([id, { _meta, ...node }]) => [
    id,
    _meta?.title === undefined ? node : { ...node, _meta: { title: _meta.title } },
  ]);
  return Object.fromEntries(nodes);
}
