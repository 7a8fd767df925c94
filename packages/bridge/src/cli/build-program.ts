import { Argument, Command, Option } from 'commander';

import type { CliHost } from './cli-host.ts';
import { createContext } from './command-context.ts';
import { optionsOf } from './command-spec.ts';
import type { CommandSpec, OptionSpec } from './command-spec.ts';
import { commandTable, groups } from './command-table.ts';
import { displayWidth } from './display-width.ts';

export interface Program {
  /** Runs the command that the arguments name; its exit code. Throws `CommanderError` for help and wrong usage, and `CliError`. */
  run(args: readonly string[]): Promise<number>;
  /** The help of the whole, without the settings. */
  help(): string;
}

/** What the table says, as a parser. */
export function buildProgram(host: CliHost): Program {
  const state = { exitCode: 0 };
  const program = configure(new Command('comfy-bridge'), host);
  // The first two are answered before the parser is asked.
  program.usage('[--insecure] | <command> [options]').helpCommand(false);
  program.option('-V, --version', 'show the version').option('--insecure', 'start, as start --insecure');

  const parents = new Map<string, Command>();
  for (const [name, description] of Object.entries(groups))
    parents.set(name, configure(new Command(name), host).description(description).helpCommand(false));
  const shown = new Set<string>();
  for (const spec of commandTable) {
    const [first = '', verb] = spec.name.split(' ');
    const parent = verb === undefined ? program : parents.get(first);
    if (spec.isRaw === true) {
      // They never come here: only the help is made of them.
      const description = groups[first] ?? spec.summary;
      if (!shown.has(first)) program.addCommand(new Command(first).description(description));
      shown.add(first);
      continue;
    }
    const command = build(spec, verb ?? first);
    if (parent === undefined) throw new Error(`no group ${first} for ${spec.name}`);
    parent.addCommand(command, { isDefault: spec.isDefault === true });
    if (parent !== program && !shown.has(first)) program.addCommand(parent);
    shown.add(first);
  }

  function build(spec: CommandSpec, name: string): Command {
    const command = configure(new Command(name), host).description(spec.summary);
    for (const { name, description, required = true, repeats, choices } of spec.arguments ?? []) {
      const inner = repeats === true ? `${name}...` : name;
      const argument = new Argument(required ? `<${inner}>` : `[${inner}]`, description);
      command.addArgument(choices === undefined ? argument : argument.choices(choices));
    }
    for (const option of optionsOf(spec)) command.addOption(toOption(option));
    if (spec.notes !== undefined) command.addHelpText('after', () => `\n${wrapNotes(spec.notes ?? '')}`);
    return command.action(async () => {
      const run = await spec.load();
      state.exitCode = await run(createContext(host, command.args, toValues(command, optionsOf(spec))));
    });
  }

  return {
    async run(args) {
      await program.parseAsync([...args], { from: 'user' });
      return state.exitCode;
    },
    help: () => program.helpInformation(),
  };
}

/** Every command writes to the streams of the host, and throws instead of leaving. */
function configure(command: Command, { stdout, stderr }: CliHost): Command {
  return command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ displayWidth })
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(--help tells more)');
}

const helpWidth = 100;

function toOption({ long, short, value, description, repeats }: OptionSpec): Option {
  const flags = [short, long].filter((part) => part !== undefined).join(', ');
  const option = new Option(value === undefined ? flags : `${flags} <${value}>`, description);
  if (repeats === true)
    option.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
  return option;
}

/** By long names: `--no-wait` is `no-wait`. */
function toValues(command: Command, options: readonly OptionSpec[]): Record<string, unknown> {
  return Object.fromEntries(
    options.map(({ long }) => {
      const name = long.slice(2);
      const value: unknown = command.getOptionValue(toAttribute(name));
      // Commander takes `--no-wait` for the opposite of a `wait` that is on.
      return [name, name.startsWith('no-') ? value === false : value];
    }),
  );
}

function toAttribute(name: string): string {
  return name.replace(/^no-/, '').replaceAll(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
}

function wrapNotes(text: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > helpWidth) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
