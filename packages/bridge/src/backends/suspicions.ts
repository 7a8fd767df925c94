import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { ExecutionError } from '../comfy/comfy-messages.ts';
import type { NodeDefinitions } from '../comfy/object-info.ts';
import type { PromptRejection } from '../comfy/prompt-rejection.ts';
import type { Lack, Suspicion } from './fleet.ts';

/** A machine on which more than this is wrong is not helped by a longer list. */
const maxSuspicions = 200;
/** What was put right without a restart and without another list is tried again after this long. */
const forgetAfterMs = 3_600_000;

/**
 * What a backend lists and refused all the same, as far as that is certain: a choice that is on its own list, or a class
 * that it names. A value that it does not list is no surprise, and a node's own check may mean anything.
 */
export function lacksInRejection(
  rejection: PromptRejection,
  prompt: ApiPrompt,
  definitions: NodeDefinitions | undefined,
): Lack[] {
  const refused: Lack[] = rejection.nodeErrors.flatMap(({ nodeId, errors }) =>
    errors.flatMap(({ type, inputName }) =>
      type === 'value_not_in_list' && inputName !== null ? toLack(prompt, nodeId, inputName) : [],
    ),
  );
  const classType = missingClass(rejection, prompt);
  if (classType !== undefined) refused.push({ classType, inputName: null, value: null });
  return refused.filter((lack) => isListed(lack, definitions));
}

/** In newer versions it says which class; in older ones which node, in the details. */
function missingClass({ type, nodeId }: PromptRejection, prompt: ApiPrompt): string | undefined {
  if (type !== 'missing_node_type' && type !== 'invalid_prompt') return undefined;
  if (typeof nodeId !== 'string' || !Object.hasOwn(prompt, nodeId)) return undefined;
  return prompt[nodeId]?.class_type;
}

/** What every version says of a file that is listed and cannot be opened, a link to nowhere for example. */
const fileNotFound = /^Model in folder '[^']*' with filename '(?<file>.+)' not found\.\s*$/;

/** What a backend listed and then did not find when a node asked for it: the only failure of a node that says so for certain. */
export function lacksInFailure(
  { nodeId, exceptionType, message }: ExecutionError,
  prompt: ApiPrompt,
  definitions: NodeDefinitions | undefined,
): Lack[] {
  if (exceptionType !== 'FileNotFoundError' || nodeId === null || !Object.hasOwn(prompt, nodeId)) return [];
  const file = fileNotFound.exec(message)?.groups?.['file'];
  if (file === undefined) return [];
  return Object.entries(prompt[nodeId]?.inputs ?? {})
    .filter(([, value]) => typeof value === 'string' && withSlashes(value) === withSlashes(file))
    .flatMap(([inputName]) => toLack(prompt, nodeId, inputName))
    .filter((lack) => isListed(lack, definitions));
}

function toLack(prompt: ApiPrompt, nodeId: string, inputName: string): Lack[] {
  const node = Object.hasOwn(prompt, nodeId) ? prompt[nodeId] : undefined;
  const value =
    node !== undefined && Object.hasOwn(node.inputs, inputName) ? node.inputs[inputName] : undefined;
  if (node === undefined || !isOption(value)) return [];
  return [{ classType: node.class_type, inputName, value }];
}

function isListed({ classType, inputName, value }: Lack, definitions: NodeDefinitions | undefined): boolean {
  const definition = definitions?.get(classType);
  if (inputName === null) return definition !== undefined;
  const wanted = withSlashes(value);
  return (
    definition?.inputs.get(inputName)?.options?.some((option) => withSlashes(option) === wanted) ?? false
  );
}

/** Adds what is not suspected yet, or suspects it anew; of too many the oldest are forgotten. */
export function addSuspicions(
  suspicions: readonly Suspicion[],
  lacks: readonly Lack[],
  now: number,
): readonly Suspicion[] {
  const all = new Map(suspicions.map((suspicion) => [toKey(suspicion), suspicion]));
  for (const lack of lacks) {
    const key = toKey(lack);
    all.delete(key);
    all.set(key, { ...lack, since: now });
  }
  return [...all.values()].slice(-maxSuspicions);
}

/**
 * Those that still stand after another look at what the backend offers: where it lists something else now, or nothing, its
 * word is believed again. Elsewhere it may list what it likes. The same array when all still stand.
 */
export function keepSuspicions(
  suspicions: readonly Suspicion[],
  {
    before,
    after,
    now,
  }: { before: NodeDefinitions | undefined; after: NodeDefinitions | undefined; now: number },
): readonly Suspicion[] {
  const kept = suspicions.filter(
    ({ classType, inputName, since }) =>
      Math.abs(now - since) < forgetAfterMs &&
      listOf(before, classType, inputName) === listOf(after, classType, inputName) &&
      listOf(after, classType, inputName) !== undefined,
  );
  return kept.length === suspicions.length ? suspicions : kept;
}

/** What was said at the place of a suspicion. Equal lists are the same object, whatever else of a class has changed. */
function listOf(
  definitions: NodeDefinitions | undefined,
  classType: string,
  inputName: string | null,
): unknown {
  const definition = definitions?.get(classType);
  return inputName === null ? definition : definition?.inputs.get(inputName)?.options;
}

function toKey({ classType, inputName, value }: Lack): string {
  return JSON.stringify([classType, inputName, typeof value === 'string' ? withSlashes(value) : value]);
}

/** Machines spell the folders of a file either way. */
function withSlashes(value: Lack['value']): Lack['value'] {
  return typeof value === 'string' ? value.replaceAll('\\', '/') : value;
}

function isOption(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
