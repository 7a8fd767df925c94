import type { ApiPrompt } from '@comfy-bridge/protocol';

import { addMarks } from '../marks/add-marks.ts';
import { collectMarks, collectOutputs } from '../marks/collect-marks.ts';
import type { PromptParts } from './comfy-types.ts';
import type { Session } from './session.ts';

/** The workflow in API format with the author's marks, as callers and the bridge get it. Throws what the editor throws. */
export async function toMarkedPrompt(session: Session): Promise<PromptParts> {
  const parts = await session.app.graphToPrompt();
  return { ...parts, output: withMarks(session, parts.output) };
}

/** The API format with the marks of the open workflow. */
export function withMarks(session: Session, output: ApiPrompt): ApiPrompt {
  const graph = session.rootGraph();
  return graph === undefined ? output : addMarks(output, collectMarks(graph), collectOutputs(graph));
}

/** Saves the workflow with its marks as a file, and says what it holds. */
export async function exportWithInputs(session: Session): Promise<void> {
  const t = session.texts();
  const graph = session.rootGraph();
  if (graph === undefined) return;
  try {
    const { output } = await toMarkedPrompt(session);
    download(`${session.workflowName()}_api.json`, JSON.stringify(output, null, 2));
  } catch (error) {
    session.say('error', t.exportFailed, error instanceof Error ? error.message : undefined);
    return;
  }
  const entries = collectMarks(graph);
  const warned = entries.filter(({ problems }) => problems.length > 0).length;
  if (entries.length === 0) session.say('warn', t.exportedWithout);
  else if (warned > 0) session.say('warn', t.exported(entries.length), t.warningsLeft(warned));
  else session.say('success', t.exported(entries.length));
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
