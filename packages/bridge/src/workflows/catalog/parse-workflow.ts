import {
  isLink,
  toInputKey,
  type ApiNode,
  type ApiPrompt,
  type InputMark,
  type InputValue,
} from '@comfy-bridge/protocol';
import { parseLosslessDocument, type LosslessDocument } from '../../lib/lossless-json.ts';
import { isRecord } from '../../lib/is-record.ts';
import type { ApiInput, PublishedWorkflow } from './published-workflow.ts';
import { joinInputs } from './join-inputs.ts';
import { readMarks } from './read-marks.ts';
import { topLevelKeys } from './top-level-keys.ts';

interface WorkflowSource {
  fileName: string;
  text: string;
  /** Undefined: listed under its file name. */
  alias?: string | undefined;
  description?: string | undefined;
  thumbnailFile?: string | undefined;
}

type ParsedWorkflow = { ok: true; workflow: PublishedWorkflow } | { ok: false; problem: string };

/**
 * Reads a workflow file in API format with its marks. What only hurts a mark (a name that no input has, an input that is
 * linked) is kept in `problems`; what makes the file useless as a whole is `ok: false`.
 */
export function parseWorkflow(source: WorkflowSource): ParsedWorkflow {
  const text = source.text.replace(/^\uFEFF/, '');
  const nodes = parseNodes(text);
  if (!nodes.ok) return nodes;
  const inputs: ApiInput[] = [];
  const outputNodes: string[] = [];
  const problems: string[] = [];
  const prompt: ApiPrompt = {};
  for (const [nodeId, node] of nodes.nodes) {
    prompt[nodeId] = node;
    const marks = readMarks(node._meta);
    problems.push(...marks.problems.map((problem) => `node "${nodeId}": ${problem}`));
    problems.push(...danglingLinks(nodeId, node, nodes.nodes));
    if (marks.output) outputNodes.push(nodeId);
    for (const mark of marks.inputs) {
      const taken = takeInput(nodeId, node, mark, nodes.floats);
      if (taken.ok) inputs.push({ ...taken.input, descimages: marks.descimages });
      else problems.push(taken.problem);
    }
  }
  const joined = joinInputs(inputs, prompt);
  problems.push(...joined.problems);
  return {
    ok: true,
    workflow: {
      alias: source.alias ?? source.fileName,
      fileName: source.fileName,
      description: source.description ?? '',
      ...(source.thumbnailFile !== undefined && { thumbnailFile: source.thumbnailFile }),
      prompt,
      inputs: joined.inputs.toSorted((a, b) => (a.mark.order ?? Infinity) - (b.mark.order ?? Infinity) || 0),
      outputNodes,
      problems,
    },
  };
}

type ParsedNodes =
  | { ok: true; nodes: Map<string, ApiNode>; floats: LosslessDocument['floats'] }
  | { ok: false; problem: string };

function parseNodes(text: string): ParsedNodes {
  let document: LosslessDocument;
  try {
    document = parseLosslessDocument(text);
  } catch (error) {
    return refuse(`is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const file = document.value;
  if (!isRecord(file)) return refuse('is not a workflow: a JSON object of nodes is expected');
  if (Array.isArray(file['nodes']) && Array.isArray(file['links'])) {
    return refuse("is in the editor's format: export it with Export (API)");
  }
  const nodes = new Map<string, ApiNode>();
  for (const nodeId of topLevelKeys(text)) {
    const node = parseNode(nodeId, file[nodeId]);
    if (typeof node === 'string') return refuse(node);
    nodes.set(nodeId, node);
  }
  return nodes.size === 0 ? refuse('has no nodes') : { ok: true, nodes, floats: document.floats };
}

function refuse(problem: string): { ok: false; problem: string } {
  return { ok: false, problem };
}

/** A node, or what is wrong with it. Keeps the very `inputs` object: `floats` knows it by identity. */
function parseNode(nodeId: string, raw: unknown): ApiNode | string {
  // As a plain object's key this name would set the prototype instead; ComfyUI never writes it.
  if (nodeId === '__proto__' || nodeId === '')
    return `has a node with the id "${nodeId}", which is not allowed`;
  if (!isRecord(raw)) return `is not in API format: "${nodeId}" is not a node`;
  const { class_type: classType, inputs = {}, _meta: meta } = raw;
  if (typeof classType !== 'string' || classType === '') {
    return `is not in API format: "${nodeId}" has no class_type. Export it with Export (API)`;
  }
  if (!isRecord(inputs)) return `is not in API format: the inputs of node "${nodeId}" are not an object`;
  if (Object.hasOwn(inputs, '__proto__'))
    return `has an input "__proto__" in node "${nodeId}", which is not allowed`;
  const node: ApiNode = { class_type: classType, inputs };
  if (isRecord(meta)) {
    const { title, ...rest } = meta;
    node._meta = typeof title === 'string' ? { ...rest, title } : rest;
  }
  return node;
}

function danglingLinks(nodeId: string, node: ApiNode, nodes: ReadonlyMap<string, ApiNode>): string[] {
  return Object.entries(node.inputs)
    .filter(([, value]) => isLink(value) && !nodes.has(value[0]))
    .map(([name]) => `node "${nodeId}": input "${name}" is linked to a node that is not in the file`);
}

type TakenInput = { ok: true; input: Omit<ApiInput, 'descimages'> } | { ok: false; problem: string };

function takeInput(
  nodeId: string,
  node: ApiNode,
  mark: InputMark,
  floats: LosslessDocument['floats'],
): TakenInput {
  const { name } = mark;
  const cannot = (why: string) => refuse(`node "${nodeId}": input "${name}" is marked but ${why}`);
  // Own properties only: a mark named "constructor" must not find what every object has.
  if (!Object.hasOwn(node.inputs, name)) return cannot('the node has no such input');
  const value = node.inputs[name];
  if (isLink(value)) return cannot('takes its value from another node: unlink it or remove the mark');
  if (!isLiteral(value)) return cannot('holds a list or an object, which a caller cannot set');
  if (name.includes('/')) return cannot('its name has a "/", which the key of an API input cannot hold');
  return {
    ok: true,
    input: {
      key: toInputKey(nodeId, name),
      nodeId,
      inputName: name,
      title: node._meta?.title || node.class_type,
      classType: node.class_type,
      default: value,
      writtenAsFloat: floats.get(node.inputs)?.has(name) ?? false,
      mark,
    },
  };
}

function isLiteral(value: unknown): value is InputValue | null {
  return value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}
