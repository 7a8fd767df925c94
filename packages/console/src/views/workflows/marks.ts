import type { InputMark } from '@comfy-bridge/protocol';

import { showExact, toNumber } from './exact-json.ts';

/** One value of a workflow file that a caller could be let to set. */
export interface MarkableInput {
  /** `12/text`, as the API has it. */
  key: string;
  nodeId: string;
  nodeTitle: string;
  inputName: string;
  value: string;
  isNumber: boolean;
  isMarked: boolean;
  label: string;
  description: string;
  /** As typed; empty: none. */
  order: string;
  min: string;
  max: string;
  isRequired: boolean;
}

type Json = Record<string, unknown>;

/** Every value of every node that is not a link, marked ones first and in their order. `prompt`: of `parseExact`. */
export function listMarkable(prompt: unknown): MarkableInput[] {
  const found = Object.entries(toRecord(prompt)).flatMap(([nodeId, raw]) =>
    listOfNode(nodeId, toRecord(raw)),
  );
  const rank = ({ isMarked, order }: MarkableInput) =>
    isMarked ? (order === '' ? 1e9 : Number(order)) : Infinity;
  return found.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

function listOfNode(nodeId: string, node: Json): MarkableInput[] {
  const meta = toRecord(node['_meta']);
  const marks = readMarks(meta);
  const named = readNames(meta);
  return Object.entries(toRecord(node['inputs']))
    .filter(([, value]) => !Array.isArray(value))
    .map(([inputName, value]) => {
      const mark = marks.find(({ name }) => name === inputName);
      const text = (key: keyof InputMark) => (mark?.[key] === undefined ? '' : showExact(mark[key]));
      return {
        key: `${nodeId}/${inputName}`,
        nodeId,
        nodeTitle: textOf(meta['title']) || textOf(node['class_type']),
        inputName,
        value: showExact(value),
        isNumber: toNumber(value) !== undefined,
        isMarked: mark !== undefined || named.includes(inputName),
        label: text('label'),
        description: text('description'),
        order: text('order'),
        min: text('min'),
        max: text('max'),
        isRequired: mark?.required === true,
      };
    });
}

/** The file with these marks in the place of its own; what the page does not know of them, and everything else, stays. */
export function applyMarks(prompt: unknown, inputs: readonly MarkableInput[]): unknown {
  const byNode = Map.groupBy(inputs, ({ nodeId }) => nodeId);
  return Object.fromEntries(
    Object.entries(toRecord(prompt)).map(([nodeId, raw]) => {
      const of = byNode.get(nodeId);
      return [nodeId, of === undefined ? raw : markNode(toRecord(raw), of)];
    }),
  );
}

function markNode(node: Json, inputs: readonly MarkableInput[]): Json {
  const { apiinput: _names, bridge, ...meta } = toRecord(node['_meta']);
  const before = readMarks({ bridge });
  const shown = new Set(inputs.map(({ inputName }) => inputName));
  // What is set through a link is not shown, and stays marked as it was.
  const unseenNames = readNames(toRecord(node['_meta'])).filter((name) => !shown.has(name));
  const marked = inputs.filter(({ isMarked }) => isMarked);
  const marks = [
    ...before.filter(({ name }) => !shown.has(name)),
    ...marked.map((input) =>
      toMark(
        input,
        before.find(({ name }) => name === input.inputName),
      ),
    ),
  ];
  const names = [...new Set([...marked.map(({ inputName }) => inputName), ...unseenNames])];
  const kept = toRecord(bridge);
  const isOutput = kept['output'] === true;
  return {
    ...node,
    _meta: {
      ...meta,
      ...(names.length > 0 && { apiinput: names.join(',') }),
      ...((marks.length > 0 || isOutput) && { bridge: { ...kept, v: 1, inputs: marks } }),
    },
  };
}

function toMark(input: MarkableInput, before: InputMark | undefined): Json {
  const {
    label: _l,
    description: _d,
    order: _o,
    min: _min,
    max: _max,
    required: _r,
    ...rest
  } = before ?? {
    name: input.inputName,
  };
  return {
    ...rest,
    ...(input.label.trim() !== '' && { label: input.label.trim() }),
    ...(input.description.trim() !== '' && { description: input.description.trim() }),
    ...(input.isRequired && { required: true }),
    ...numberOf('order', input.order),
    ...numberOf('min', input.min),
    ...numberOf('max', input.max),
  };
}

/** A field for numbers may hand over a number. */
function numberOf(key: string, typed: string | number): Json {
  const text = String(typed).trim();
  const value = Number(text);
  return text === '' || !Number.isFinite(value) ? {} : { [key]: value };
}

function readMarks(meta: Json): InputMark[] {
  const { inputs } = toRecord(meta['bridge']);
  // The bridge has read this file already: its marks are such.
  return Array.isArray(inputs) ? (inputs as InputMark[]) : [];
}

function readNames({ apiinput }: Json): string[] {
  if (typeof apiinput !== 'string') return [];
  return apiinput
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function toRecord(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
