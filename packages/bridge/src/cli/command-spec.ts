import type { CommandContext } from './command-context.ts';

/** What a shell offers for a value. The first three are asked of the bridge. */
export type ValueKind = 'workflow' | 'job' | 'backend' | 'input' | 'file' | 'folder' | 'text';

export interface ArgumentSpec {
  name: string;
  description: string;
  kind: ValueKind;
  /** Default true. */
  required?: boolean;
  /** Takes all that follow. */
  repeats?: boolean;
  choices?: readonly string[];
}

export interface OptionSpec {
  /** `--output` */
  long: string;
  /** `-o` */
  short?: string;
  /** What stands for its value in the help; absent: it takes none. */
  value?: string;
  description: string;
  kind?: ValueKind;
  /** What a shell offers; the command itself says what it takes. */
  choices?: readonly string[];
  /** May be given several times. */
  repeats?: boolean;
}

/** A command: does its work and resolves to the exit code, or throws a `CliError`. */
export type Command = (context: CommandContext) => Promise<number>;

export interface CommandSpec {
  /** One word, or a group and a verb: `jobs show`. */
  name: string;
  summary: string;
  arguments?: readonly ArgumentSpec[];
  options?: readonly OptionSpec[];
  /** Its group alone means this one. */
  isDefault?: boolean;
  /** Talks to a bridge: takes `--url` and `--key-file` too. */
  asksBridge?: boolean;
  /** Has no `--json`: what it prints is for a shell, or endless. */
  hasNoJson?: boolean;
  /** Reads its own arguments; the table only describes it. */
  isRaw?: boolean;
  /** More for its help. */
  notes?: string;
  /** Loads what it needs when it is called, and not before. */
  load(): Promise<Command>;
}

export const urlOption: OptionSpec = {
  long: '--url',
  value: 'url',
  description: 'where the bridge is; else COMFY_BRIDGE_URL, else the settings of this folder',
};
export const keyFileOption: OptionSpec = {
  long: '--key-file',
  value: 'path',
  description: 'a file that holds the key; else COMFY_BRIDGE_KEY',
  kind: 'file',
};
export const jsonOption: OptionSpec = { long: '--json', description: 'print JSON' };

/** All options of a command, those that many have last. */
export function optionsOf({ options = [], asksBridge, hasNoJson, isRaw }: CommandSpec): OptionSpec[] {
  const addressed = asksBridge === true ? [urlOption, keyFileOption] : [];
  const isJson = hasNoJson !== true && isRaw !== true;
  return [...options, ...addressed, ...(isJson ? [jsonOption] : [])];
}
