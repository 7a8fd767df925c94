import { isRecord } from '../lib/is-record.ts';
import { checkServer, maxServers } from '../lib/server-address.ts';
import { accept, refuse } from './option.ts';
import type { Parser, WrongPart } from './option.ts';
import { createSecret } from './secret.ts';
import type { Secret } from './secret.ts';
import { parseJsonOrUndefined } from './value-parsers.ts';

/** A ComfyUI of the fleet. */
export interface BackendServer {
  /** Unique in the fleet. */
  readonly name: string;
  /** `http(s)://host[:port][/base]`, without a trailing slash. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly token: Secret | undefined;
  /** The base64 of the SHA-256 of its certificate's key; undefined: any certificate that is trusted. */
  readonly pin: string | undefined;
}

interface Item {
  url: string;
  name: string | undefined;
  token: string | undefined;
  pin: string | undefined;
  /** Redacted. */
  shown: string;
}

const form = {
  address:
    'host:port, or a URL such as https://host:8188/base; "name=" may stand before it, ";token=SECRET" and ";pin=sha256:…" after it',
  token: 'a token goes behind it: "https://host;token=SECRET"',
};

/** The fleet, as text with commas or as a JSON list of texts and `{ url, name, token, pin }`. Reports every wrong item. */
export const serverList: Parser<readonly BackendServer[]> = {
  allowed: `none, or a list of ${form.address}`,
  parse(raw) {
    const entries = toEntries(raw);
    if (entries === undefined) return refuse(isRecord(raw) ? { shown: 'an object' } : {});
    if (entries.length > maxServers)
      return refuse({ shown: `${entries.length} servers`, allowed: `at most ${maxServers}` });
    const servers: BackendServer[] = [];
    const wrong: WrongPart[] = [];
    for (const [index, entry] of entries.entries()) {
      const item = isSecretRest(entries, index) ? secretRest : parseEntry(entry);
      const server = 'allowed' in item ? item : toServer(item, `backend-${index + 1}`, servers);
      if ('allowed' in server)
        wrong.push({ part: ` item ${index + 1}`, shown: item.shown, allowed: server.allowed });
      else servers.push(server);
    }
    return wrong.length > 0 ? refuse(...wrong) : accept(servers);
  },
};

function toServer(
  item: Item,
  defaultName: string,
  taken: readonly BackendServer[],
): BackendServer | { allowed: string } {
  const { name = defaultName, token } = item;
  const checked = checkServer({ name, url: item.url, token, pin: item.pin }, form);
  if (!checked.ok) return checked;
  const { url, pin } = checked;
  if (taken.some((server) => server.url === url)) return { allowed: 'each server once' };
  if (taken.some((server) => server.name === name)) return { allowed: `each name once ("${name}" is taken)` };
  return { name, url, token: token === undefined ? undefined : createSecret(token), pin };
}

/** True for what is left of a token that a comma cut in two: it is no address, and must not be shown. */
function isSecretRest(entries: readonly unknown[], index: number): boolean {
  const [before, entry] = [entries[index - 1], entries[index]];
  return typeof before === 'string' && before.includes(';') && typeof entry === 'string' && !/:/.test(entry);
}

const secretRest = {
  shown: '"***"',
  allowed: `${form.address}; a token with a comma needs the object form of config.json`,
};

function parseEntry(entry: unknown): Item | { shown: string; allowed: string } {
  return typeof entry === 'string' ? parseText(entry) : parseObject(entry);
}

function toEntries(raw: unknown): unknown[] | undefined {
  // An IPv6 address in brackets begins like a JSON list; what follows the bracket tells them apart.
  const value = typeof raw === 'string' && /^\s*\[\s*["{\]]/.test(raw) ? parseJsonOrUndefined(raw) : raw;
  if (typeof value === 'string' && value.trim() === 'none') return [];
  const entries = typeof value === 'string' ? value.split(/[,\r\n]/) : value;
  if (!Array.isArray(entries)) return undefined;
  return entries.filter((entry) => typeof entry !== 'string' || entry.trim() !== '');
}

/** `[name=]address[;token=SECRET][;pin=sha256:…]` */
function parseText(entry: string): Item | { shown: string; allowed: string } {
  const shown = JSON.stringify(redact(entry.trim()));
  const [address = '', ...parameters] = entry.split(';').map((part) => part.trim());
  const { name, url = address } = /^(?<name>[^=:/?#[\]]*)=(?<url>.*)$/.exec(address)?.groups ?? {};
  const given = new Map<string, string>();
  for (const parameter of parameters) {
    const [, key, value] = /^(token|pin)=(.+)$/.exec(parameter) ?? [];
    if (key === undefined || value === undefined || given.has(key))
      return { shown, allowed: 'only ";token=SECRET" and ";pin=sha256:…" after the address' };
    given.set(key, value);
  }
  return { url: url.trim(), name: name?.trim(), token: given.get('token'), pin: given.get('pin'), shown };
}

function parseObject(entry: unknown): Item | { shown: string; allowed: string } {
  const allowed = 'a text, or an object {"url", "name", "token", "pin"} of texts with at least "url"';
  if (!isRecord(entry)) return { shown: Array.isArray(entry) ? 'a list' : JSON.stringify(entry), allowed };
  const { url, name, token, pin, ...others } = entry;
  const unknown = Object.keys(others);
  const shown = typeof url === 'string' ? JSON.stringify(redact(url)) : 'an object without a proper "url"';
  if (unknown.length > 0) return { shown: `an object with ${JSON.stringify(unknown[0])}`, allowed };
  if (typeof url !== 'string') return { shown, allowed };
  if (!isTextOrNone(name) || !isTextOrNone(token) || !isTextOrNone(pin)) return { shown, allowed };
  return { url: url.trim(), name, token, pin, shown };
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** Hides every parameter's value and whatever stands before an `@`. */
function redact(text: string): string {
  const [address = '', ...parameters] = text.split(';');
  const hidden = parameters.map((parameter) =>
    parameter.includes('=') ? `${parameter.split('=')[0]}=***` : '***',
  );
  return [address.replace(/^((?:[^=:/]*=)?(?:[a-z][a-z0-9+.-]*:\/\/)?).*@/i, '$1***@'), ...hidden].join(';');
}
