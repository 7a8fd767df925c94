import { createCaller } from './call-bridge.ts';
import type { BridgeCaller } from './call-bridge.ts';
import { usageError } from './cli-error.ts';
import type { CliHost } from './cli-host.ts';
import { findBridge, sendsKeyInTheClear } from './find-bridge.ts';
import { createPrinter } from './print.ts';
import type { Printer } from './print.ts';

/** What was given on the command line, by the long name of its option without the dashes. */
export interface GivenOptions {
  text(name: string): string | undefined;
  flag(name: string): boolean;
  list(name: string): readonly string[];
  /** A whole number; anything else is a usage error. */
  number(name: string, range: { min: number; max: number }): number | undefined;
}

export interface CommandContext {
  host: CliHost;
  /** The arguments of the command, in the order of its table entry. */
  args: readonly string[];
  options: GivenOptions;
  print: Printer;
  /** The bridge that is meant. Nothing is asked of it yet. */
  bridge(): Promise<BridgeCaller>;
}

export function createContext(
  host: CliHost,
  args: readonly string[],
  values: Readonly<Record<string, unknown>>,
): CommandContext {
  const options = readGiven(values);
  const print = createPrinter(host, { json: options.flag('json') });
  return {
    host,
    args,
    options,
    print,
    async bridge() {
      const address = await findBridge(host, {
        url: options.text('url'),
        keyFile: options.text('key-file'),
      });
      if (sendsKeyInTheClear(address))
        print.note(`warning: the key goes to ${address.url} unencrypted; use https where others may listen`);
      return createCaller(address);
    },
  };
}

function readGiven(values: Readonly<Record<string, unknown>>): GivenOptions {
  const text = (name: string) => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    text,
    flag: (name) => values[name] === true,
    list(name) {
      const value = values[name];
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
    },
    number(name, { min, max }) {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = Number(value);
      if (/^-?\d+$/.test(value) && number >= min && number <= max) return number;
      throw usageError(`--${name} is a whole number from ${min} to ${max}`);
    },
  };
}
