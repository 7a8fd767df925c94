import type { Lack } from '../backends/fleet.ts';
import type { NodeDefinitions } from '../comfy/object-info.ts';
import { normalizePath } from './model-file.ts';
import type { Choice, Needs } from './needs.ts';
import { findOption } from './options.ts';

/** What a backend offers, as far as it is known. */
export interface Offer {
  /** Undefined: it was never reached. */
  definitions: NodeDefinitions | undefined;
  /** What it listed and refused. */
  suspicions: readonly Lack[];
}

/** Definitions are shared between backends that offer the same, and verdicts with them. */
const known = new WeakMap<NodeDefinitions, Map<string, readonly Lack[]>>();
const maxKnown = 1_000;

/** What this backend lacks of these needs; empty when it can run them. Undefined while nothing is known of it. */
export function findLacks(needs: Needs, { definitions, suspicions }: Offer): readonly Lack[] | undefined {
  if (definitions === undefined) return undefined;
  let verdicts = known.get(definitions);
  if (verdicts === undefined) known.set(definitions, (verdicts = new Map()));
  let lacks = verdicts.get(needs.key);
  if (lacks === undefined) {
    lacks = compare(needs, definitions);
    if (verdicts.size >= maxKnown) verdicts.clear();
    verdicts.set(needs.key, lacks);
  }
  if (suspicions.length === 0) return lacks;
  const isTold = (one: Lack) => lacks.some((other) => isSame(one, other));
  return [...lacks, ...suspicions.filter((suspicion) => concerns(suspicion, needs) && !isTold(suspicion))];
}

function compare({ nodeClasses, choices }: Needs, definitions: NodeDefinitions): Lack[] {
  const lacks: Lack[] = nodeClasses
    .filter((classType) => !definitions.has(classType))
    .map((classType) => ({ classType, inputName: null, value: null }));
  return [...lacks, ...choices.filter((choice) => !offers(definitions, choice))];
}

function offers(definitions: NodeDefinitions, { classType, inputName, value }: Choice): boolean {
  const definition = definitions.get(classType);
  // The class itself is what is missing then; and an older version of a node may not list the choices of an input.
  if (definition === undefined) return true;
  const options = definition.inputs.get(inputName)?.options;
  return options === undefined || findOption(options, value) !== undefined;
}

function concerns({ classType, inputName, value }: Lack, { nodeClasses, choices }: Needs): boolean {
  if (inputName === null) return nodeClasses.includes(classType);
  return choices.some((choice) => isSame(choice, { classType, inputName, value }));
}

function isSame(a: Lack, b: Lack): boolean {
  return a.classType === b.classType && a.inputName === b.inputName && toKey(a.value) === toKey(b.value);
}

function toKey(value: unknown): string {
  return normalizePath(String(value));
}

/** `checkpoint "sdxl.safetensors" (CheckpointLoaderSimple)`, for people. */
export function describeLack({ classType, inputName, value }: Lack): string {
  return inputName === null ? `node ${classType}` : `"${String(value)}" (${inputName} of ${classType})`;
}
