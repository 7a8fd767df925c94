import type { InputMark } from '@comfy-bridge/protocol';

import { isRecord } from './is-record.ts';

const types = ['str', 'int', 'float', 'bool'] as const;
const formats = ['image', 'video', 'audio', 'mask'] as const;

/**
 * A mark as the protocol has it, as a copy; undefined when it names no input. What cannot be read of the rest is left out.
 * By hand, because the schema's library is larger than the whole extension.
 */
export function parseMark(raw: unknown): InputMark | undefined {
  if (!isRecord(raw)) return undefined;
  const { name, label, description, required } = raw;
  if (typeof name !== 'string' || name === '') return undefined;
  const type = types.find((each) => each === raw['type']);
  const format = formats.find((each) => each === raw['format']);
  const order = toNumber(raw['order']);
  const min = toNumber(raw['min']);
  const max = toNumber(raw['max']);
  const step = toNumber(raw['step']);
  const options = parseOptions(raw['options']);
  return {
    name,
    ...(typeof label === 'string' && { label }),
    ...(typeof description === 'string' && { description }),
    ...(typeof required === 'boolean' && { required }),
    ...(order !== undefined && { order }),
    ...(type !== undefined && { type }),
    ...(format !== undefined && { format }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(step !== undefined && step > 0 && { step }),
    ...(options.length > 0 && { options }),
  };
}

function toNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function parseOptions(raw: unknown): (string | number | boolean)[] {
  if (!Array.isArray(raw)) return [];
  const options: unknown[] = raw;
  return options.filter(
    (option): option is string | number | boolean =>
      typeof option === 'string' || typeof option === 'boolean' || toNumber(option) !== undefined,
  );
}
