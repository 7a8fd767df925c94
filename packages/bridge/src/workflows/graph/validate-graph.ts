import { isLink } from '@comfy-bridge/protocol';
import type { ApiNode, ApiPrompt } from '@comfy-bridge/protocol';

import type { NodeDefinition, NodeInputSpec } from '../../comfy/object-info.ts';
import { findCycle } from './find-cycle.ts';
import type { FindDefinition } from '../inputs/input-spec.ts';
import type { InvalidGraph, NodeProblem } from './parse-graph.ts';
import { quote } from '../quote.ts';

export type ValidatedGraph = { ok: true; outputNodes: string[] } | InvalidGraph;

export interface ValidateOptions {
  findDefinition: FindDefinition;
  /** Inputs that the bridge fills in itself, as `nodeId/inputName`. */
  isStaged?(nodeId: string, inputName: string): boolean;
}

const maxNamed = 3;

/**
 * Checks a caller's graph as ComfyUI will (`validate_prompt` in its execution.py): every class known, every required input
 * there, links that lead somewhere and fit, literals of the right kind and within their limits. Only what an output node
 * needs is looked at, as there; but where ComfyUI would quietly run the rest, a problem here refuses the whole.
 *
 * What no list offers is left to the machines: their nodes may check an input by code of their own, and then the list is only
 * a suggestion. Missing weights are found when the job is placed.
 */
export function validateGraph(prompt: ApiPrompt, options: ValidateOptions): ValidatedGraph {
  const problems = new Map<string, NodeProblem[]>();
  const definitions = new Map<string, NodeDefinition>();
  for (const [nodeId, { class_type: classType }] of Object.entries(prompt)) {
    const definition = options.findDefinition(classType);
    if (definition !== undefined) definitions.set(nodeId, definition);
    else problems.set(nodeId, [unknownClass(classType)]);
  }
  const outputNodes = Object.keys(prompt).filter((nodeId) => definitions.get(nodeId)?.outputNode === true);
  // An unknown class may be an output.
  if (outputNodes.length === 0 && problems.size === 0) {
    return { ok: false, message: 'no node of the graph is an output (such as SaveImage)', nodeErrors: {} };
  }
  const needed = collectNeeded(prompt, outputNodes);
  const cycle = findCycle(prompt, needed);
  for (const nodeId of needed) {
    const [node, definition] = [prompt[nodeId], definitions.get(nodeId)];
    if (node === undefined || definition === undefined) continue;
    const found = checkNode(nodeId, node, definition, { prompt, definitions, isStaged: options.isStaged });
    if (cycle.includes(nodeId)) found.push(cycleProblem(cycle));
    if (found.length > 0) problems.set(nodeId, found);
  }
  if (problems.size === 0) return { ok: true, outputNodes };
  return { ok: false, message: describe(prompt, problems), nodeErrors: Object.fromEntries(problems) };
}

function unknownClass(classType: string): NodeProblem {
  return {
    field: 'class_type',
    reason: 'missing_node_type',
    message: `no ComfyUI of the fleet has the node class ${quote(classType)}`,
  };
}

function cycleProblem(cycle: readonly string[]): NodeProblem {
  const path = [...cycle, cycle[0]].slice(0, 12).join(' → ');
  return { field: 'inputs', reason: 'dependency_cycle', message: `its inputs lead back to itself: ${path}` };
}

/** The nodes that the outputs take something from, themselves included. */
function collectNeeded(prompt: ApiPrompt, outputNodes: readonly string[]): Set<string> {
  const needed = new Set(outputNodes);
  for (const nodeId of needed) {
    for (const value of Object.values(prompt[nodeId]?.inputs ?? {}))
      if (isLink(value) && Object.hasOwn(prompt, value[0])) needed.add(value[0]);
  }
  return needed;
}

interface NodeContext {
  prompt: ApiPrompt;
  definitions: ReadonlyMap<string, NodeDefinition>;
  isStaged: ValidateOptions['isStaged'];
}

function checkNode(
  nodeId: string,
  node: ApiNode,
  definition: NodeDefinition,
  context: NodeContext,
): NodeProblem[] {
  const problems: NodeProblem[] = [];
  for (const [field, spec] of definition.inputs) {
    if (isDynamic(spec) || context.isStaged?.(nodeId, field) === true) continue;
    const value = Object.hasOwn(node.inputs, field) ? node.inputs[field] : undefined;
    const problem = value === undefined ? checkMissing(spec) : checkInput(value, spec, context);
    if (problem !== undefined) problems.push({ field, ...problem });
  }
  return problems;
}

type Problem = Omit<NodeProblem, 'field'>;

/** Inputs whose names and number depend on other inputs: they are not listed under the name that the definition has. */
function isDynamic({ type }: NodeInputSpec): boolean {
  return type.startsWith('COMFY_');
}

function checkMissing({ required, type }: NodeInputSpec): Problem | undefined {
  if (!required) return undefined;
  const connected = literalTypes.has(type) ? 'missing' : 'not connected';
  return { reason: 'required_input_missing', message: `a required input is ${connected}` };
}

const literalTypes = new Set(['INT', 'FLOAT', 'STRING', 'BOOLEAN', 'COMBO']);

function checkInput(value: unknown, spec: NodeInputSpec, context: NodeContext): Problem | undefined {
  if (Array.isArray(value)) return checkLink(value, spec, context);
  if (spec.type === 'INT' || spec.type === 'FLOAT') return checkNumber(value, spec);
  return undefined;
}

/** A list is always a link there; a list as a value is wrapped in `{"__value__": …}`. */
function checkLink(
  value: unknown[],
  spec: NodeInputSpec,
  { prompt, definitions }: NodeContext,
): Problem | undefined {
  if (!isLink(value)) {
    return { reason: 'bad_linked_input', message: 'a link is ["<node id>", <number of its output>]' };
  }
  const [from, slot] = value;
  if (!Object.hasOwn(prompt, from))
    return { reason: 'bad_linked_input', message: `it is linked to node ${quote(from)}, which is not there` };
  const source = definitions.get(from);
  if (source === undefined) return undefined;
  const type = Number.isInteger(slot) ? source.outputs[slot] : undefined;
  if (type === undefined)
    return { reason: 'bad_linked_input', message: `node ${quote(from)} has no output ${slot}` };
  if (fits(type, spec.type)) return undefined;
  const message = `it takes ${spec.type}, and output ${slot} of node ${quote(from)} gives ${type}`;
  return { reason: 'return_type_mismatch', message };
}

/** Types may be unions with commas; `*` is anything. What a combo gives, and takes, is only known to its nodes. */
function fits(given: string, taken: string): boolean {
  const [gives, takes] = [given.split(','), taken.split(',')];
  const isOpen = (type: string) =>
    type === '*' || type === '' || type === 'COMBO' || type.startsWith('COMFY_');
  return gives.some(isOpen) || takes.some(isOpen) || gives.some((type) => takes.includes(type));
}

/** ComfyUI takes what Python's `int()` and `float()` take. */
function checkNumber(value: unknown, { type, min, max }: NodeInputSpec): Problem | undefined {
  const number = typeof value === 'boolean' ? Number(value) : toNumber(value);
  if (number === undefined || Number.isNaN(number)) {
    const what = type === 'INT' ? 'a whole number' : 'a number';
    return { reason: 'invalid_input_type', message: `it must be ${what}` };
  }
  if (min !== undefined && number < min)
    return { reason: 'value_smaller_than_min', message: `it must be at least ${min}` };
  if (max !== undefined && number > max)
    return { reason: 'value_bigger_than_max', message: `it must be at most ${max}` };
  return undefined;
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  return typeof value === 'string' && value.trim() !== '' ? Number(value.replaceAll('_', '')) : undefined;
}

/** `Node 12 (KSampler): model: a required input is not connected` */
function describe(prompt: ApiPrompt, problems: ReadonlyMap<string, readonly NodeProblem[]>): string {
  const told = [...problems].slice(0, maxNamed).map(([nodeId, [first]]) => {
    const at = first?.field === 'class_type' ? '' : `${first?.field}: `;
    return `Node ${nodeId.slice(0, 60)} (${prompt[nodeId]?.class_type.slice(0, 80)}): ${at}${first?.message}`;
  });
  const more = problems.size - maxNamed;
  return more > 0 ? `${told.join('; ')}; and ${more} more nodes` : told.join('; ');
}
