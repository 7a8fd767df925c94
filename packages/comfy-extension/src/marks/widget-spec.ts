import type { InputMark, InputType, MediaFormat } from '@comfy-bridge/protocol';

import type { WidgetLike } from './graph-types.ts';
import type { MarkTarget } from './mark-entry.ts';
import { isRecord } from './is-record.ts';
import { classOf } from './walk-graph.ts';

/** What a caller may send for a mark: the editor's widget, narrowed by the mark. */
export interface WidgetSpec {
  type: InputType;
  format: MediaFormat | undefined;
  multiline: boolean;
  options: (string | number | boolean)[] | undefined;
  min: number | undefined;
  max: number | undefined;
  step: number | undefined;
}

/** The loaders that name a file of ComfyUI's input folder. The bridge knows more of them, from the machines. */
const knownFileInputs: ReadonlyMap<string, MediaFormat> = new Map([
  ['LoadImage/image', 'image'],
  ['LoadImageMask/image', 'mask'],
  ['LoadVideo/file', 'video'],
  ['LoadAudio/audio', 'audio'],
  ['VHS_LoadVideo/video', 'video'],
  ['VHS_LoadVideoFFmpeg/video', 'video'],
  ['VHS_LoadAudioUpload/audio', 'audio'],
]);

/** As the bridge does it from a node's definition: a mark makes the widget stricter, never looser. */
export function toWidgetSpec({ node, inputName, widget }: MarkTarget, mark: InputMark): WidgetSpec {
  const format = mark.format ?? knownFileInputs.get(`${classOf(node)}/${inputName}`);
  const options = format === undefined ? optionsOf(widget, mark) : undefined;
  const type = format === undefined ? typeOf(widget, mark) : 'str';
  const isNumber = type === 'int' || type === 'float';
  const isText = type === 'str' && options === undefined && format === undefined;
  return {
    type,
    format,
    multiline: isText && (widget?.type === 'customtext' || widget?.options?.['multiline'] === true),
    options,
    ...(isNumber ? rangeOf(widget, mark) : { min: undefined, max: undefined, step: undefined }),
  };
}

function typeOf(widget: WidgetLike | undefined, mark: InputMark): InputType {
  const value = widget?.value;
  const [option] = parseOptions(widget) ?? [];
  const known = jsonType(option, undefined) ?? jsonType(value, widget);
  // Whole numbers only is stricter than what takes any number; another disagreement is the mark's mistake.
  if (known === 'float' && mark.type === 'int') return 'int';
  return known ?? mark.type ?? 'str';
}

function jsonType(value: unknown, widget: WidgetLike | undefined): InputType | undefined {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return isWhole(value, widget) ? 'int' : 'float';
  return typeof value === 'string' ? 'str' : undefined;
}

/** The editor gives an integer's widget no decimals. */
function isWhole(value: number, widget: WidgetLike | undefined): boolean {
  const precision = widget?.options?.['precision'];
  return Number.isInteger(value) && (typeof precision !== 'number' || precision === 0);
}

function optionsOf(widget: WidgetLike | undefined, mark: InputMark): WidgetSpec['options'] {
  const offered = parseOptions(widget);
  if (mark.options === undefined || offered === undefined) return mark.options ?? offered;
  const both = mark.options.filter((option) => offered.includes(option));
  return both.length > 0 ? both : [...mark.options];
}

/** What the widget itself offers. */
export function offeredOptions(widget: WidgetLike | undefined): WidgetSpec['options'] {
  return parseOptions(widget);
}

/** A list, a table whose keys count, or a function that makes either. An empty one says nothing. */
function parseOptions(widget: WidgetLike | undefined): (string | number | boolean)[] | undefined {
  let values = widget?.options?.values;
  if (typeof values === 'function') {
    try {
      values = (values as (widget: unknown, node: unknown) => unknown)(widget, undefined);
    } catch {
      return undefined;
    }
  }
  const list: unknown[] = Array.isArray(values) ? values : isRecord(values) ? Object.keys(values) : [];
  const options = list.filter((each): each is string | number | boolean =>
    ['string', 'number', 'boolean'].includes(typeof each),
  );
  return options.length > 0 ? options : undefined;
}

type Range = Pick<WidgetSpec, 'min' | 'max' | 'step'>;

/** The stricter limits of both. A mark that would allow nothing at all is left out. */
function rangeOf(widget: WidgetLike | undefined, mark: InputMark): Range {
  const { min, max, step: tenfold, step2 } = widget?.options ?? {};
  // `step` of a widget is ten times what it means; newer editors say it beside.
  const own = toNumber(step2) ?? (toNumber(tenfold) === undefined ? undefined : Number(tenfold) / 10);
  const step = mark.step ?? own;
  const lowest = pick(toNumber(min), mark.min, Math.max);
  const highest = pick(toNumber(max), mark.max, Math.min);
  const isEmpty = lowest !== undefined && highest !== undefined && lowest > highest;
  return isEmpty ? { min: toNumber(min), max: toNumber(max), step } : { min: lowest, max: highest, step };
}

function pick(a: number | undefined, b: number | undefined, choose: (a: number, b: number) => number) {
  return a === undefined || b === undefined ? (a ?? b) : choose(a, b);
}

function toNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
