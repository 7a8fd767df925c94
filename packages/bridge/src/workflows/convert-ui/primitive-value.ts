import type { NodeInputSpec } from '../../comfy/object-info.ts';
import type { PlacedNode } from './place-nodes.ts';
import { check } from './read-values.ts';
import type { WidgetValue } from './read-values.ts';

/**
 * The value that a primitive node gives to a widget that it is linked to; undefined where it saves none, and the widget
 * keeps its own. The editor rounds it as the widget does, and brings it into the range of all its targets.
 */
export function primitiveValue(primitive: PlacedNode, spec: NodeInputSpec): WidgetValue | undefined {
  const { values, properties } = primitive.node;
  const value: unknown = Array.isArray(values) ? values[0] : undefined;
  if (value === undefined) return undefined;
  const checked = check(value, spec);
  if (!checked.ok) return checked;
  if (properties['Run widget replace on values'] === true && String(checked.value).includes('%'))
    return { ok: false, problem: 'has text that the editor replaces: write out what it stands for' };
  if (isKept(checked.value, spec)) return checked;
  return {
    ok: false,
    problem: 'has a value that the editor would round: give it one within the limits and steps',
  };
}

function isKept(value: unknown, spec: NodeInputSpec): boolean {
  if (typeof value !== 'number') return typeof value !== 'bigint';
  if ((spec.min !== undefined && value < spec.min) || (spec.max !== undefined && value > spec.max))
    return false;
  if (spec.type === 'INT') {
    const step = spec.step || 1;
    const offset = step === 1 ? 0 : (spec.min ?? 0) % step;
    return Math.round((value - offset) / step) * step + offset === value;
  }
  if (spec.type !== 'FLOAT') return true;
  const precision = Math.max(0, -Math.floor(Math.log10(spec.step ?? 0.5)));
  const told = spec.editor?.round;
  const round = precision > 0 && !told ? 10 ** -precision : told;
  return !round || Number((Math.round(value / round) * round).toFixed(Math.min(precision, 100))) === value;
}
