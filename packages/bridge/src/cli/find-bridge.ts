import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { isLoopback } from '../config/bridge-config.ts';
import type { BridgeConfig } from '../config/bridge-config.ts';
import { CliError, exitCodes, usageError } from './cli-error.ts';
import type { CliHost } from './cli-host.ts';

/** Which bridge is asked, and as whom. */
export interface BridgeAddress {
  /** Without a slash at its end. */
  url: string;
  key: string | undefined;
  /** Who says that it is there. */
  namedBy: '--url' | 'COMFY_BRIDGE_URL' | 'settings' | 'default';
}

const defaultUrl = 'http://127.0.0.1:8000';

/**
 * Where the bridge is: `--url`, else `COMFY_BRIDGE_URL`, else where the settings of this folder have it, else the default. The
 * key comes from `COMFY_BRIDGE_KEY` or a file; a command line would show it to every user of the machine (`ps`) and keep it in
 * the history of the shell. Throws a `CliError`.
 */
export async function findBridge(
  host: CliHost,
  options: { url: string | undefined; keyFile: string | undefined },
): Promise<BridgeAddress> {
  const key = await readKey(host, options.keyFile);
  const named = options.url ?? host.env['COMFY_BRIDGE_URL'];
  if (named !== undefined && named !== '') {
    const namedBy = options.url === undefined ? 'COMFY_BRIDGE_URL' : '--url';
    return { url: checkUrl(named, namedBy), key, namedBy };
  }
  const { loadConfig } = await import('../config/parse-config.ts');
  const loaded = await loadConfig(host);
  if (!loaded.ok || loaded.config.server.port === 0) return { url: defaultUrl, key, namedBy: 'default' };
  return { url: urlOf(loaded.config.server), key, namedBy: 'settings' };
}

/** Where a bridge with these settings is reached from its own machine. */
export function urlOf({ host, port, basePath }: BridgeConfig['server']): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}${basePath}`;
}

/** Whether a key would go over a network that others may listen to. */
export function sendsKeyInTheClear({ url, key }: BridgeAddress): boolean {
  const { protocol, hostname } = new URL(url);
  return key !== undefined && protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''));
}

function checkUrl(text: string, namedBy: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usageError(`${namedBy} is the address of a bridge, such as ${defaultUrl}`);
  if (url.username !== '' || url.password !== '')
    throw usageError(`${namedBy} holds a password: put the key into COMFY_BRIDGE_KEY, or into a --key-file`);
  url.search = url.hash = '';
  return url.href.replace(/\/+$/, '');
}

async function readKey({ env, filesFrom }: CliHost, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return checkKey(env['COMFY_BRIDGE_KEY'], 'COMFY_BRIDGE_KEY');
  const text = await readFile(resolve(filesFrom, file), 'utf8').catch((cause: unknown) => {
    throw new CliError(exitCodes.failed, `the key file ${file} cannot be read`, { cause });
  });
  return checkKey(text, file) ?? noKey(file);
}

function checkKey(text: string | undefined, source: string): string | undefined {
  const key = text?.trim();
  if (key === undefined || key === '') return undefined;
  if (!/^[\x21-\x7E]+$/.test(key)) throw usageError(`${source} holds no key: it is one line, without spaces`);
  return key;
}

function noKey(file: string): never {
  throw usageError(`${file} is empty: it holds the key, and nothing else`);
}
