import { createHash, X509Certificate } from 'node:crypto';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';

import { buildConnector } from 'undici';

import { createFleetRules } from '../lib/check-address.ts';
import type { AddressRules } from '../lib/check-address.ts';
import { createCheckedLookup, findLiteralRefusal } from '../lib/checked-lookup.ts';
import { resolveBySystem } from '../lib/resolve-host.ts';
import type { ResolveHost } from '../lib/resolve-host.ts';
import type { ComfyEndpoint } from './comfy-endpoint.ts';
import { ComfyError } from './comfy-error.ts';

export interface BackendConnectorOptions {
  /** To establish a connection, TLS included, ms; default 2000. */
  timeoutMs?: number | undefined;
  /** Default: any address but those that no ComfyUI can have. */
  addresses?: AddressRules | undefined;
  /** Default: as the system does it. */
  resolveHost?: ResolveHost | undefined;
}

/** Opens connections to one ComfyUI, for HTTP and for its WebSocket. */
export type BackendConnector = buildConnector.connector;

/**
 * Every connection looks its name up anew and checks what it is then connected to; every TLS one checks the certificate, and
 * its key where one is pinned. A machine that a stranger lends is trusted no further than that.
 */
export function createBackendConnector(
  { pin }: Pick<ComfyEndpoint, 'pin'>,
  {
    timeoutMs = 2000,
    addresses = createFleetRules(),
    resolveHost = resolveBySystem,
  }: BackendConnectorOptions = {},
): BackendConnector {
  const connect = buildConnector({
    lookup: createCheckedLookup(addresses, resolveHost),
    timeout: timeoutMs,
    allowH2: false,
    // A resumed session would show no certificate.
    maxCachedSessions: 0,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    checkServerIdentity: (host, certificate) =>
      checkServerIdentity(host, certificate) ?? checkPin(certificate, pin),
  });
  return (options, callback) => {
    const refusal = findLiteralRefusal(addresses, options.hostname);
    return refusal === undefined ? connect(options, callback) : callback(refusal, null);
  };
}

/** A pin says nothing where there is no certificate: `checkServer` wants https for it. */
function checkPin(certificate: PeerCertificate, pin: string | undefined): Error | undefined {
  if (pin === undefined || toPin(certificate.raw) === pin) return undefined;
  return new ComfyError('unreachable', 'its certificate is not the pinned one');
}

/** What pins a certificate (DER): the base64 of the SHA-256 of its key (SubjectPublicKeyInfo), which outlives renewals. */
export function toPin(certificate: Buffer): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}
