import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { NodeDefinition } from '../comfy/object-info.ts';
import { isModelFile, normalizePath } from './model-file.ts';
import { findOption } from './options.ts';

/** A value that a prompt has chosen from a list that a backend offers. */
export interface Choice {
  classType: string;
  inputName: string;
  value: string | number | boolean;
}

/** What a prompt needs of a machine, compiled once for the job. */
export interface Needs {
  /** Equal texts, equal needs: verdicts are kept by it. */
  key: string;
  /** Sorted, each once. */
  nodeClasses: readonly string[];
  choices: readonly Choice[];
  /** The files of weights among them, with `/` between folders, sorted: what has to be in memory to run it. */
  models: readonly string[];
}

export interface CompileOptions {
  /** What the fleet together says of a class; undefined for one that nobody has. */
  findDefinition(classType: string): NodeDefinition | undefined;
  /** Inputs that the bridge fills on the machine itself, as `nodeId/inputName`. */
  isStaged(nodeId: string, inputName: string): boolean;
}

/**
 * Collects the node classes and every choice from a list, whatever node makes it: checkpoints, LoRAs, samplers. A file of
 * weights is a need even where nobody lists it. Any other value that no backend lists is none: nodes may check their inputs
 * by code of their own (`VALIDATE_INPUTS`), and then the list in `/object_info` is only a suggestion.
 */
export function compileNeeds(prompt: ApiPrompt, { findDefinition, isStaged }: CompileOptions): Needs {
  const nodeClasses = nodeClassesOf(prompt);
  const choices = new Map<string, Choice>();
  for (const [nodeId, { class_type: classType, inputs }] of Object.entries(prompt)) {
    const definition = findDefinition(classType);
    for (const [inputName, value] of Object.entries(inputs)) {
      if (!isLiteral(value)) continue;
      const spec = definition?.inputs.get(inputName);
      if (spec?.options === undefined) continue;
      if (isStaged(nodeId, inputName)) continue;
      const isListed = findOption(spec.options, value) !== undefined;
      if (!isListed && !(isModelFile(value) && spec.upload === undefined)) continue;
      choices.set(JSON.stringify([classType, inputName, value]), { classType, inputName, value });
    }
  }
  const sorted = [...choices].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const models = sorted.flatMap(([, { value }]) => (isModelFile(value) ? [normalizePath(value)] : []));
  return {
    key: JSON.stringify([nodeClasses, sorted.map(([text]) => text)]),
    nodeClasses,
    choices: sorted.map(([, choice]) => choice),
    models: [...new Set(models)].toSorted(),
  };
}

/** The node classes that a prompt needs: sorted, each once. */
export function nodeClassesOf(prompt: ApiPrompt): string[] {
  return [...new Set(Object.values(prompt).map((node) => node.class_type))].toSorted();
}

function isLiteral(value: unknown): value is Choice['value'] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
