import { inputMarkSchema, type InputMark } from '@comfy-bridge/protocol';
import { isRecord } from '../../lib/is-record.ts';

interface ReadMarks {
  /** One per marked input: those of `apiinput` in its order, then those that only `bridge` names. */
  inputs: InputMark[];
  output: boolean;
  descimages: string[];
  problems: string[];
}

/**
 * Reads the marks in a node's `_meta`: `apiinput` (comma-separated names), `bridge` (the structured form) and `descimage`.
 * A mark that cannot be read is a problem of its own and never takes the others with it.
 */
export function readMarks(meta: unknown): ReadMarks {
  const marks: ReadMarks = { inputs: [], output: false, descimages: [], problems: [] };
  if (!isRecord(meta)) return marks;
  const byName = new Map<string, InputMark>();
  for (const name of readNames(meta['apiinput'], marks)) byName.set(name, { name });
  readStructured(meta['bridge'], byName, marks);
  marks.inputs = [...byName.values()];
  marks.descimages = readDescimages(meta['descimage'], marks);
  return marks;
}

function readNames(apiinput: unknown, marks: ReadMarks): string[] {
  if (apiinput === undefined || apiinput === null) return [];
  if (typeof apiinput !== 'string') {
    marks.problems.push('`apiinput` must be text: input names with commas between them');
    return [];
  }
  return apiinput
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function readStructured(bridge: unknown, byName: Map<string, InputMark>, marks: ReadMarks): void {
  if (bridge === undefined || bridge === null) return;
  if (!isRecord(bridge) || bridge['v'] !== 1) {
    marks.problems.push('`bridge` must be an object with `"v": 1`');
    return;
  }
  const inputs = bridge['inputs'] ?? [];
  if (!Array.isArray(inputs)) marks.problems.push('`bridge.inputs` must be a list');
  for (const [index, raw] of (Array.isArray(inputs) ? inputs : []).entries()) {
    const parsed = inputMarkSchema.safeParse(withDoubles(raw));
    if (parsed.success) {
      byName.set(parsed.data.name, parsed.data);
      continue;
    }
    const [issue] = parsed.error.issues;
    const where = ['bridge', 'inputs', index, ...(issue?.path ?? [])].join('.');
    marks.problems.push(`\`${where}\`: ${issue?.message ?? 'cannot be read'}`);
  }
  const output = bridge['output'];
  if (typeof output === 'boolean') marks.output = output;
  else if (output !== undefined) marks.problems.push('`bridge.output` must be true or false');
}

/** Limits beyond 2^53, as every seed has one, come exactly; as doubles they still say which power of two is meant. */
function withDoubles(mark: unknown): unknown {
  if (!isRecord(mark)) return mark;
  const toDouble = ([key, value]: [string, unknown]) => [
    key,
    typeof value === 'bigint' ? Number(value) : value,
  ];
  return Object.fromEntries(Object.entries(mark).map(toDouble));
}

function readDescimages(descimage: unknown, marks: ReadMarks): string[] {
  if (descimage === undefined || descimage === null) return [];
  const names: unknown[] = Array.isArray(descimage) ? descimage : [descimage];
  return names.filter((name): name is string => {
    if (typeof name === 'string' && isPlainFileName(name)) return true;
    marks.problems.push('`descimage` must be a file name, or a list of them, without a folder');
    return false;
  });
}

/** A name that stays in the folder it is looked up in, on every system. */
export function isPlainFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\:\0]/.test(name) && name.length <= 255;
}
