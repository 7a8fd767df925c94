import type { InstallOptions } from './commands/install.ts';
import type { LendingOptions } from './commands/lending.ts';
import type { NginxOptions } from './commands/nginx.ts';
import type { Values } from './options.ts';
import { isOwnerFrom, isSchedule, isToken } from './plan/donor-settings.ts';
import { parseNginxSite } from './plan/nginx-site.ts';
import { UsageError } from './usage-error.ts';

/** No pause is longer: a machine that is forgotten comes back. */
const maxMinutes = 7 * 24 * 60;

export function readInstallOptions(
  values: Values,
): Omit<InstallOptions, 'dir' | 'command' | 'force' | 'dryRun' | 'port'> {
  const [token, schedule, ownerFrom] = ['token', 'schedule', 'owner-from'].map((name) =>
    textOf(values, name),
  );
  const noToken = values['no-token'] === true;
  if (token !== undefined && noToken) throw new UsageError('--token and --no-token exclude each other.');
  if (token !== undefined && !isToken(token))
    throw new UsageError('--token takes 16 to 512 printable ASCII characters without spaces.');
  if (schedule !== undefined && !isSchedule(schedule))
    throw new UsageError(
      '--schedule takes times such as "22:00-08:00" or "Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00".',
    );
  if (ownerFrom !== undefined && !isOwnerFrom(ownerFrom))
    throw new UsageError('--owner-from takes loopback, none, or networks such as 192.168.1.0/24,fd00::/8.');
  return {
    token,
    noToken,
    schedule,
    ownerFrom,
    examples: values['example-inputs'] === true,
    baseDirectory: textOf(values, 'base-directory'),
    customNodes: textOf(values, 'custom-nodes'),
  };
}

export function readPort(values: Values): number {
  const port = textOf(values, 'port') ?? '8188';
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw new UsageError('--port takes a number from 1 to 65535.');
  return Number(port);
}

export function readLendingOptions(values: Values): LendingOptions {
  const url = parseUrl(textOf(values, 'url') ?? 'http://127.0.0.1:8188');
  if (
    url === undefined ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.username !== '' ||
    url.search !== ''
  )
    throw new UsageError('--url takes the address of a ComfyUI, such as http://127.0.0.1:8188.');
  const minutes = textOf(values, 'minutes');
  if (minutes === undefined) return { url, minutes: undefined };
  if (!/^\d+(\.\d+)?$/.test(minutes) || Number(minutes) <= 0 || Number(minutes) > maxMinutes)
    throw new UsageError(`--minutes takes a number above 0, up to ${maxMinutes} (a week).`);
  return { url, minutes: Number(minutes) };
}

export function readNginxOptions(values: Values): Pick<NginxOptions, 'site' | 'out' | 'check'> {
  const parsed = parseNginxSite({
    serverName: textOf(values, 'server-name'),
    listen: textOf(values, 'listen'),
    upstream: textOf(values, 'upstream'),
    tlsCert: textOf(values, 'tls-cert'),
    tlsKey: textOf(values, 'tls-key'),
    basePath: textOf(values, 'base-path'),
    maxBody: textOf(values, 'max-body'),
  });
  if (!parsed.ok) throw new UsageError(`${parsed.problems.join('; ')}.`);
  return { site: parsed.site, out: textOf(values, 'out'), check: values['check'] === true };
}

function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
