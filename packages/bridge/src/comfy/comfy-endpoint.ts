/** Where one ComfyUI answers. */
export interface ComfyEndpoint {
  /** `http(s)://host:port[/base]` */
  url: string;
  /** Sent as `Authorization: Bearer`; ComfyUI itself knows no authentication, a proxy in front of it may. */
  token?: string;
  /** The base64 of the SHA-256 of its certificate's key (SubjectPublicKeyInfo): no other is talked to. Only with https. */
  pin?: string;
}

export interface ComfyAddress {
  origin: string;
  /** '' or '/base', without a trailing slash: ComfyUI knows no trailing slashes. */
  base: string;
  headers: Record<string, string>;
}

/** Splits an endpoint for the HTTP client. Throws `TypeError` for an invalid URL. */
export function toAddress(endpoint: ComfyEndpoint): ComfyAddress {
  const url = new URL(endpoint.url);
  return {
    origin: url.origin,
    base: url.pathname.replace(/\/+$/, ''),
    headers: endpoint.token === undefined ? {} : { authorization: `Bearer ${endpoint.token}` },
  };
}

/** The WebSocket's URL for a session id. */
export function toSocketUrl(endpoint: ComfyEndpoint, clientId: string): string {
  const { origin, base } = toAddress(endpoint);
  return `${origin.replace(/^http/, 'ws')}${base}/ws?clientId=${encodeURIComponent(clientId)}`;
}
