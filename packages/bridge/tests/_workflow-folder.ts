import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ApiPrompt } from '@comfy-bridge/protocol';

import { workflowsDir } from './_start-bridge.ts';

export interface WorkflowFolder extends AsyncDisposable {
  readonly path: string;
}

/** The sample workflows, some of them changed: file name without its ending → what to do with its prompt. */
export async function copyWorkflows(
  changes: Record<string, (prompt: ApiPrompt) => void>,
): Promise<WorkflowFolder> {
  const path = await mkdtemp(join(tmpdir(), 'bridge-workflows-'));
  await cp(workflowsDir, path, { recursive: true });
  for (const [name, change] of Object.entries(changes)) {
    const file = join(path, `${name}.json`);
    const prompt = JSON.parse(await readFile(file, 'utf8')) as ApiPrompt;
    change(prompt);
    await writeFile(file, JSON.stringify(prompt));
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Sets an input of the one node of that class. */
export function setInput(classType: string, inputName: string, value: unknown): (prompt: ApiPrompt) => void {
  return (prompt) => {
    const node = Object.values(prompt).find(({ class_type }) => class_type === classType);
    if (node === undefined) throw new Error(`no ${classType} in this workflow`);
    node.inputs[inputName] = value;
  };
}
