import { createFleetRules, toLiteralAddress } from './check-address.ts';

// How a ComfyUI is named, wherever somebody names one: in the settings, or to the operators' API.

/** The most ComfyUI servers in one fleet: each is watched all the time. */
export const maxServers = 1_000;

/** How an address and a token are written where the entry stands; completes "allowed: …". */
export interface ServerForm {
  address: string;
  token: string;
}

export interface ServerEntry {
  name: string;
  url: string;
  token: string | undefined;
  /** `sha256:` and base64, as it is written. */
  pin?: string | undefined;
}

export type CheckedServer = { ok: true; url: string; pin?: string } | { ok: false; allowed: string };

/**
 * Checks one server for itself: its `url` as it is kept, `http(s)://host[:port][/base]` without a trailing slash, and its pin
 * as it is compared, without `sha256:`; or what is allowed instead. Nothing that was given is repeated: it may hold a secret.
 */
export function checkServer({ name, url, token, pin }: ServerEntry, form: ServerForm): CheckedServer {
  const address = parseAddress(url, form);
  if (!address.ok) return address;
  if (!isServerName(name)) return refuse('a name of 1 to 64 letters, digits, ".", "_", "-"');
  if (token !== undefined && !isToken(token)) return refuse('a token of printable ASCII without spaces');
  if (pin === undefined) return address;
  // Without TLS there is no certificate, and nothing would be checked.
  if (!address.url.startsWith('https:')) return refuse('a pin only with https://');
  const digest = toPinnedDigest(pin);
  return digest === undefined ? refuse(pinForm) : { ...address, pin: digest };
}

/** Completes "allowed: …". */
const pinForm = "a pin of sha256: and the base64 of the SHA-256 of the certificate's key (44 characters)";

/** The base64 of 32 bytes, in the only spelling that is compared with; undefined when it is none. */
function toPinnedDigest(text: string): string | undefined {
  const digest = /^sha256:([A-Za-z0-9+/]{43}=)$/.exec(text)?.[1];
  if (digest === undefined) return undefined;
  return Buffer.from(digest, 'base64').toString('base64') === digest ? digest : undefined;
}

const rules = createFleetRules();

export function isServerName(name: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(name);
}

/** Fit for an HTTP header. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]{1,512}$/.test(text);
}

function parseAddress(text: string, form: ServerForm): CheckedServer {
  if (/^[^/]*@|:\/\/[^/]*@/.test(text)) {
    return refuse(`no user name or password in the address; ${form.token}`);
  }
  if (/[;\s]/.test(text)) return refuse(form.address);
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  if (!hasScheme && /^[0-9a-f]*:[0-9a-f:.]*:/i.test(text))
    return refuse('an IPv6 address in brackets: [::1]:8188');
  // Without the port being asked for here, half of a secret with a comma in it would pass for a host name.
  if (!hasScheme && !/^(\[[^\]]+\]|[^:/?#]+):\d+(\/|$)/.test(text)) return refuse(form.address);
  const url = URL.parse(hasScheme ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.port === '0') return refuse(form.address);
  if (/[?#]/.test(text)) return refuse('an address without "?" and "#"');
  // A name is checked whenever it is connected to.
  const literal = toLiteralAddress(url.hostname);
  if (literal !== undefined && rules.findRefusal(url.hostname, literal) !== undefined)
    return refuse('the address of a ComfyUI: not a link-local, metadata, multicast or unspecified one');
  return { ok: true, url: `${url.origin}${url.pathname.replace(/\/+$/, '')}` };
}

function refuse(allowed: string): CheckedServer {
  return { ok: false, allowed };
}
