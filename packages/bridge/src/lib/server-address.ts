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
}

export type CheckedServer = { ok: true; url: string } | { ok: false; allowed: string };

/**
 * Checks one server for itself: its `url` as it is kept, `http(s)://host[:port][/base]` without a trailing slash, or what is
 * allowed instead. Nothing that was given is repeated: it may hold a secret.
 */
export function checkServer({ name, url, token }: ServerEntry, form: ServerForm): CheckedServer {
  const address = parseAddress(url, form);
  if (!address.ok) return address;
  if (!isServerName(name)) return refuse('a name of 1 to 64 letters, digits, ".", "_", "-"');
  if (token !== undefined && !isToken(token)) return refuse('a token of printable ASCII without spaces');
  return address;
}

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
  return { ok: true, url: `${url.origin}${url.pathname.replace(/\/+$/, '')}` };
}

function refuse(allowed: string): CheckedServer {
  return { ok: false, allowed };
}
