import { optionsOf } from '../command-spec.ts';
import type { CommandSpec, OptionSpec, ValueKind } from '../command-spec.ts';
import { commandTable, groups } from '../command-table.ts';

export interface Candidate {
  value: string;
  description: string;
}

/** What is being typed. */
export interface Position {
  /** The word so far. */
  current: string;
  /** What of it stays before every candidate: `--url=`. */
  prefix: string;
  /** Known without asking anybody. */
  candidates: readonly Candidate[];
  /** What kind of value; undefined where none is. */
  kind?: ValueKind | undefined;
  /** The option whose value it is. */
  option?: OptionSpec | undefined;
  /** Arguments before it: the first of `run` is the workflow. */
  given: readonly string[];
  /** `--url` and `--key-file` as given before it. */
  url?: string | undefined;
  keyFile?: string | undefined;
}

const help: Candidate = { value: '--help', description: 'show help' };

/** Where in the table of commands the last of these words stands. */
export function findPosition(words: readonly string[]): Position {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const none = { current, prefix: '', candidates: [], given: [] };
  const [first, second] = before;
  if (first === undefined) return { ...none, candidates: firstWords(current) };
  const verbs = commandTable.filter(({ name }) => name.startsWith(`${first} `));
  const isGroup = verbs.length > 0;
  if (isGroup && second === undefined && !current.startsWith('-'))
    return {
      ...none,
      candidates: verbs.map(({ name, summary }) => toCandidate(name.split(' ')[1] ?? '', summary)),
    };
  const named = commandTable.find(({ name }) => name === (isGroup ? `${first} ${second}` : first));
  const spec = named ?? verbs.find(({ isDefault }) => isDefault === true);
  if (spec === undefined) return none;
  return positionIn(spec, before.slice(named === undefined || !isGroup ? 1 : 2), current);
}

function firstWords(current: string): Candidate[] {
  if (current.startsWith('-'))
    return [
      help,
      toCandidate('--version', 'show the version'),
      toCandidate('--insecure', 'start open to all'),
    ];
  const single = commandTable.filter(({ name }) => !name.includes(' '));
  return [
    ...single.map(({ name, summary }) => toCandidate(name, summary)),
    ...Object.entries(groups).map(([name, text]) => toCandidate(name, text)),
  ];
}

function positionIn(spec: CommandSpec, rest: readonly string[], current: string): Position {
  const options = optionsOf(spec);
  const find = (word: string) => options.find(({ long, short }) => word === long || word === short);
  const given: string[] = [];
  const values = new Map<string, string>();
  let awaited: OptionSpec | undefined;
  for (const word of rest) {
    const [name = '', value] = word.split(/=(.*)/s);
    const option = find(name);
    if (awaited !== undefined) {
      values.set(awaited.long, word);
      awaited = undefined;
    } else if (!word.startsWith('-')) given.push(word);
    else if (option?.value !== undefined && value === undefined) awaited = option;
    else if (option !== undefined && value !== undefined) values.set(option.long, value);
  }
  const known = { current, given, url: values.get('--url'), keyFile: values.get('--key-file') };
  if (awaited !== undefined) return { ...known, prefix: '', ...valueOf(awaited) };
  const [name = '', value] = current.split(/=(.*)/s);
  const option = find(name);
  if (value !== undefined && option?.value !== undefined)
    return { ...known, prefix: `${name}=`, ...valueOf(option) };
  if (current.startsWith('-')) {
    const candidates = options.map(({ long, description }) => toCandidate(long, description));
    return { ...known, prefix: '', candidates: [...candidates, help] };
  }
  const all = spec.arguments ?? [];
  const argument = all[given.length] ?? (all.at(-1)?.repeats === true ? all.at(-1) : undefined);
  const candidates = (argument?.choices ?? []).map((choice) => toCandidate(choice, ''));
  return { ...known, prefix: '', candidates, kind: argument?.kind };
}

function valueOf(option: OptionSpec): Pick<Position, 'candidates' | 'kind' | 'option'> {
  const candidates = (option.choices ?? []).map((choice) => toCandidate(choice, ''));
  return { candidates, kind: option.kind, option };
}

function toCandidate(value: string, description: string): Candidate {
  return { value, description };
}
