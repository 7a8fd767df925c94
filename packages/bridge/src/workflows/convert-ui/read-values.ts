import type { NodeDefinition, NodeInputSpec } from '../../comfy/object-info.ts';
import { isRecord } from '../../lib/is-record.ts';
import { isWidget, planWidgets, shownType } from './plan-widgets.ts';
import type { WidgetSlot } from './plan-widgets.ts';
import { isDecoration, savesByName, takesOthers } from './saves-by-name.ts';
import { shownField } from './shown-fields.ts';
import type { UiNode } from './ui-graph.ts';
import { short } from './ui-graph.ts';

/** A widget's value as it stands in the file, or why there is none; asked about only where it matters. */
export type WidgetValue = { ok: true; value: unknown } | { ok: false; problem: string };

export interface ReadValues {
  /** Of every widget that the definition has, in its order. */
  values: Map<string, WidgetValue>;
  /** The file and the definition cannot be brought together. */
  problem: string | undefined;
}

const otherVersion =
  'the machines have another version of this node: update one of them, or open the file in an editor that runs on those machines and save it again';

/** The values of a node's widgets; what the file does not have has the definition's default, as in the editor. */
export function readValues(node: UiNode, definition: NodeDefinition): ReadValues {
  const plan = planWidgets(definition);
  const { values: saved = [] } = node;
  if (savesByName(definition.classType) || isRecord(saved)) return readByName(saved, definition, plan);
  const list = withoutDummies(saved, definition, plan);
  const values = new Map<string, WidgetValue>();
  if (list === undefined || !fits(list, plan, definition))
    return {
      values,
      problem: `its ${saved.length} values do not fit: ${otherVersion}`,
    };
  for (const [at, slot] of plan.entries()) {
    if (slot.name === undefined) continue;
    const value = at < list.length ? check(list[at], slot.spec) : defaultOf(slot.spec);
    const named = node.namedValues;
    const differs =
      named !== undefined && Object.hasOwn(named, slot.name) && !isSame(named[slot.name], list[at]);
    values.set(
      slot.name,
      differs ? { ok: false, problem: `is saved with two values: ${otherVersion}` } : value,
    );
  }
  return { values, problem: undefined };
}

function readByName(
  saved: NonNullable<UiNode['values']>,
  { classType }: NodeDefinition,
  plan: readonly WidgetSlot[],
): ReadValues {
  const values = new Map<string, WidgetValue>();
  // A list is empty where nothing was saved; else an old version of the pack wrote it, by rules of its own.
  if (Array.isArray(saved) ? saved.length > 0 : !savesByName(classType))
    return { values, problem: `its values are saved in a way that is not this node's: ${otherVersion}` };
  const named = new Map(Object.entries(saved));
  for (const slot of plan) {
    if (slot.name === undefined) continue;
    const isSaved = named.has(slot.name);
    values.set(slot.name, isSaved ? check(named.get(slot.name), slot.spec) : defaultOf(slot.spec));
  }
  const others = [...named].filter(([name]) => !values.has(name) && !isDecoration(name));
  for (const [name, value] of others) values.set(name, { ok: true, value });
  const isFit = others.every(([, value]) => takesOthers(classType) && isScalar(value));
  return {
    values,
    problem: isFit ? undefined : `its values have names that it does not have: ${otherVersion}`,
  };
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

/** More values than places mean another definition, unless nothing is in them. */
function fits(list: readonly unknown[], plan: readonly WidgetSlot[], { classType }: NodeDefinition): boolean {
  const more = list.slice(plan.length);
  return shownField(classType) !== undefined || more.every((value) => value === null || value === '');
}

/**
 * Editors before 1.16 saved a value for inputs that are sockets by force. Undefined where it cannot be told which ones
 * they are.
 */
function withoutDummies(
  list: readonly unknown[],
  { inputs }: NodeDefinition,
  plan: readonly WidgetSlot[],
): readonly unknown[] | undefined {
  const dummies = [...inputs.values()].filter(isForced).length;
  if (dummies === 0 || list.length !== plan.length + dummies) return list;
  const isAmbiguous = plan.some(({ name }) => name === undefined);
  if (isAmbiguous) return undefined;
  const wanted = [...inputs.values()].filter((spec) => isWidget(spec) || isForced(spec));
  return list.filter((_, at) => {
    const spec = wanted[at];
    return spec === undefined || !isForced(spec);
  });
}

function isForced(spec: NodeInputSpec): boolean {
  return spec.editor?.forceInput === true;
}

function defaultOf(spec: NodeInputSpec): WidgetValue {
  const type = shownType(spec);
  if (type === 'COMBO') {
    if (spec.editor?.multiSelect === true) return { ok: true, value: [] };
    if (spec.default) return { ok: true, value: spec.default };
    const [first] = spec.options ?? [];
    return first === undefined || spec.upload !== undefined
      ? { ok: false, problem: 'has no value: choose one' }
      : { ok: true, value: first };
  }
  const value = spec.default ?? { INT: 0, FLOAT: 0, STRING: '', BOOLEAN: false }[type];
  return check(value, spec);
}

/** A value of another type than the input's shows that the list is not what this definition would have saved. */
export function check(value: unknown, spec: NodeInputSpec): WidgetValue {
  const type = shownType(spec);
  if (!isOfType(value, type, spec)) {
    const said = value === null ? 'has no value' : `has a value that is not of its type ${short(type)}`;
    return { ok: false, problem: `${said}: ${value === null ? 'give it one' : otherVersion}` };
  }
  if (spec.upload !== undefined && value === '') return { ok: false, problem: 'names no file: choose one' };
  // A text field keeps line ends as the browser does.
  const isField = type === 'STRING' && spec.multiline === true && typeof value === 'string';
  return { ok: true, value: isField ? value.replace(/\r\n?/g, '\n') : value };
}

function isOfType(value: unknown, type: string, spec: NodeInputSpec): boolean {
  switch (type) {
    case 'INT':
      return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
    case 'FLOAT':
      return typeof value === 'bigint' || Number.isFinite(value);
    case 'BOOLEAN':
      return typeof value === 'boolean';
    case 'STRING':
      return typeof value === 'string';
    default:
      if (spec.editor?.multiSelect === true) return isTextList(value);
      return ['string', 'number', 'boolean'].includes(typeof value);
  }
}

function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, at) => item === b[at]);
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
