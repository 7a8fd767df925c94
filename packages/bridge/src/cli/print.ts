import { stringifyLossless } from '../lib/lossless-json.ts';
import type { CliHost } from './cli-host.ts';

export interface Printer {
  readonly isJson: boolean;
  /** A result: JSON where that is asked for, else the text. */
  result(value: unknown, toText: () => string): void;
  /** A result that is text alone. */
  text(text: string): void;
  /** A line for people. */
  note(line: string): void;
}

export function createPrinter({ stdout, stderr }: CliHost, { json }: { json: boolean }): Printer {
  return {
    isJson: json,
    result(value, toText) {
      stdout.write(json ? `${stringifyLossless(value, 2)}\n` : toText());
    },
    text(text) {
      stdout.write(text);
    },
    note(line) {
      stderr.write(`${line}\n`);
    },
  };
}
