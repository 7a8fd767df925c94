import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';

import { changeLending } from './commands/lending.ts';
import { doctor } from './commands/doctor.ts';
import type { Host, Report } from './commands/host.ts';
import { install } from './commands/install.ts';
import { nginx } from './commands/nginx.ts';
import { status } from './commands/status.ts';
import { uninstall } from './commands/uninstall.ts';
import { optionsOf } from './options.ts';
import type { CommandName, Values } from './options.ts';
import { readInstallOptions, readLendingOptions, readNginxOptions, readPort } from './read-options.ts';
import { UsageError } from './usage-error.ts';
import { usage } from './usage.ts';

export interface CliHost extends Host {
  /** What the reader typed to get here, such as `npm run patch --`: commands that are printed can then be typed as they are. */
  calledAs: string;
  print(text: string): void;
  complain(text: string): void;
}

/** The command line; resolves to the exit code. The only place where something is printed. */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  const isJson = args.includes('--json');
  try {
    const [name, ...rest] = args;
    if (name === undefined) throw new UsageError('Say what to do.');
    if (args.includes('--help') || args.includes('-h') || name === 'help') return say(host, usage);
    if (name === '--version') return say(host, `${host.version}\n`);
    const command = toCommand(name);
    return tell(host, command, await run(command, rest, host), isJson);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const refusal = { code: 'usage', message: error.message, fix: 'See comfy-bridge-patch --help.' };
    if (isJson) host.print(`${JSON.stringify({ ok: false, error: refusal }, undefined, 2)}\n`);
    else host.complain(asTyped(host, `${refusal.message}\n→ ${refusal.fix}\n`));
    return 2;
  }
}

function run(command: CommandName, args: readonly string[], host: Host): Promise<Report> | Report {
  const { values, positionals } = parse(command, args);
  const needsDir = !['pause', 'resume', 'nginx'].includes(command);
  const [dir = '', ...more] = positionals;
  if (needsDir && (dir === '' || more.length > 0))
    throw new UsageError(`Name one folder: comfy-bridge-patch ${command} <ComfyUI>`);
  if (!needsDir && positionals.length > 0)
    throw new UsageError(`${command} takes no ${positionals.join(' ')}.`);
  const flags = { dir, force: values['force'] === true, dryRun: values['dry-run'] === true };
  switch (command) {
    case 'install':
    case 'upgrade':
      return install(host, { ...flags, command, ...readInstallOptions(values), port: readPort(values) });
    case 'uninstall':
      return uninstall(host, { ...flags, port: readPort(values) });
    case 'status':
      return status(host, { dir, showToken: values['show-token'] === true });
    case 'doctor':
      return doctor(host, { dir, port: readPort(values) });
    case 'pause':
    case 'resume':
      return changeLending(host, command, readLendingOptions(values));
    case 'nginx':
      return nginx(host, { ...flags, ...readNginxOptions(values) });
  }
}

function toCommand(name: string): CommandName {
  const known = Object.keys(optionsOf).find((one): one is CommandName => one === name);
  if (known === undefined) throw new UsageError(`There is no command ${name}.`);
  return known;
}

function parse(command: CommandName, args: readonly string[]): { values: Values; positionals: string[] } {
  const options: ParseArgsConfig['options'] = optionsOf[command];
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: options ?? {},
    });
    return { values: toValues(values), positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** No option of ours can be given several times. */
function toValues(values: Readonly<Record<string, unknown>>): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' || typeof value === 'boolean' ? value : undefined,
    ]),
  );
}

function tell(host: CliHost, command: CommandName, report: Report, isJson: boolean): number {
  if (isJson) {
    const body = report.ok
      ? { ok: true, command, ...report.data }
      : { ok: false, command, error: report.refusal };
    host.print(`${JSON.stringify(body, undefined, 2)}\n`);
  } else if (report.ok) {
    host.print(asTyped(host, `${report.lines.join('\n')}\n`));
  } else {
    const { message, fix, paths = [] } = report.refusal;
    host.complain(
      asTyped(host, `${[message, ...paths.map((path) => `  ${path}`), `→ ${fix}`].join('\n')}\n`),
    );
  }
  if (!report.ok) return 1;
  return report.exitCode ?? 0;
}

/** Our own commands within a text, as the reader has to type them. */
function asTyped({ calledAs }: CliHost, text: string): string {
  const commands = [...Object.keys(optionsOf), '--help'].join('|');
  return text.replaceAll(
    new RegExp(`\\bcomfy-bridge-patch (?=(?:${commands})(?!\\w))`, 'g'),
    () => `${calledAs} `,
  );
}

function say(host: CliHost, text: string): number {
  host.print(text);
  return 0;
}
