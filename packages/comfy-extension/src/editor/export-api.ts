import type { ApiPrompt } from '@comfy-bridge/protocol';

import { addMarks } from '../marks/add-marks.ts';
import { collectMarks, collectOutputs } from '../marks/collect-marks.ts';
import { listInputs } from '../marks/form-fields.ts';
import type { MarkEntry } from '../marks/mark-entry.ts';
import type { PromptParts } from './comfy-types.ts';
import type { Session } from './session.ts';

/** Which marks a prompt carries already, for what adds them to every prompt of the editor may be asked first. */
const carried = new WeakMap<ApiPrompt, readonly MarkEntry[]>();

export interface MarkedPrompt extends PromptParts {
  entries: readonly MarkEntry[];
}

/** The workflow in API format with the author's marks, as callers and the bridge get it. Throws what the editor throws. */
export async function toMarkedPrompt(session: Session): Promise<MarkedPrompt> {
  const parts = await session.app.graphToPrompt();
  const output = carried.has(parts.output) ? parts.output : withMarks(session, parts.output);
  return { ...parts, output, entries: carried.get(output) ?? [] };
}

/** The API format with the marks of the open workflow. */
export function withMarks(session: Session, output: ApiPrompt): ApiPrompt {
  const graph = session.rootGraph();
  if (graph === undefined) return output;
  const entries = collectMarks(graph);
  const marked = addMarks(output, entries, collectOutputs(graph));
  carried.set(marked, entries);
  return marked;
}

/** Saves the workflow with its marks as a file, and says what it holds. */
export async function exportWithInputs(session: Session): Promise<void> {
  const t = session.texts();
  if (session.rootGraph() === undefined) return;
  let entries: readonly MarkEntry[];
  try {
    const marked = await toMarkedPrompt(session);
    ({ entries } = marked);
    download(`${session.workflowName()}_api.json`, JSON.stringify(marked.output, null, 2));
  } catch (error) {
    session.say('error', t.exportFailed, error instanceof Error ? error.message : undefined);
    return;
  }
  const warned = entries.filter(({ problems }) => problems.length > 0).length;
  const open = listInputs(entries).length;
  const warning = warned > 0 ? t.warningsLeft(warned) : undefined;
  if (open === 0) session.say('warn', t.exportedWithout, warning);
  else session.say(warning === undefined ? 'success' : 'warn', t.exported(open), warning);
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}
