import type { z } from 'zod';

import { isRecord } from '../lib/is-record.ts';
import { parseLossless } from '../lib/lossless-json.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { toPlainText } from './display-width.ts';
import type { BridgeAddress } from './find-bridge.ts';

export interface CallOptions {
  query?: Readonly<Record<string, string | number | undefined>>;
  /** Already JSON. */
  body?: string | undefined;
  /** Ms; default 30 s. */
  timeoutMs?: number | undefined;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Asks one bridge. Rejects with a `CliError`: refused, or not reached. */
export interface BridgeCaller {
  readonly address: BridgeAddress;
  /** The answer's JSON as it came, and what of it the schema reads; integers beyond 2^53 are `bigint`. */
  read<T>(schema: z.ZodType<T>, path: string, options?: CallOptions): Promise<{ raw: unknown; value: T }>;
  /** The answer's JSON; undefined where there is none. */
  send(method: Method, path: string, options?: CallOptions): Promise<unknown>;
  text(path: string, options?: CallOptions): Promise<string>;
}

/** Path segments, each percent-encoded: `apiPath('workflows', alias)`. */
export function apiPath(...segments: readonly string[]): string {
  return `/api/bridge/${segments.map(encodeURIComponent).join('/')}`;
}

export function createCaller(address: BridgeAddress): BridgeCaller {
  async function ask(method: Method, path: string, options: CallOptions): Promise<string> {
    const { query = {}, body, timeoutMs = 30_000 } = options;
    const url = new URL(`${address.url}${path}`);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const headers = {
      ...(address.key !== undefined && { authorization: `Bearer ${address.key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    let answer: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      answer = await fetch(url, { method, headers, signal, ...(body !== undefined && { body }) });
      text = await answer.text();
    } catch (cause) {
      throw notReached(address, cause);
    }
    if (!answer.ok) throw toRefusal(address, { status: answer.status, ...readEnvelope(text) });
    return text;
  }

  async function send(method: Method, path: string, options: CallOptions = {}): Promise<unknown> {
    const text = await ask(method, path, options);
    if (text === '') return undefined;
    try {
      return parseLossless(text);
    } catch (cause) {
      throw noBridge(address, cause);
    }
  }

  return {
    address,
    send,
    text: (path, options = {}) => ask('GET', path, options),
    async read(schema, path, options = {}) {
      const raw = await send('GET', path, options);
      const parsed = schema.safeParse(raw);
      if (!parsed.success) throw noBridge(address, parsed.error);
      return { raw, value: parsed.data };
    },
  };
}

/** What a refusal says. */
interface Refusal {
  /** HTTP; 0 when no server said it. */
  status: number;
  code?: string | undefined;
  message?: string | undefined;
  details?: unknown;
}

/** A refusal in words for people, with what to do about it. */
export function toRefusal(address: BridgeAddress, { status, code, message, details }: Refusal): CliError {
  const lines = [toPlainText(message ?? `${address.url} answered ${status}`)];
  // `details.inputs`: the first reason for each input; mostly the message has them all.
  const reasons = isRecord(details) && isRecord(details['inputs']) ? Object.entries(details['inputs']) : [];
  for (const [name, reason] of reasons)
    if (message?.includes(String(reason)) !== true) lines.push(toPlainText(`- ${name}: ${String(reason)}`));
  const hint = hintFor(address, status, code);
  if (hint !== undefined) lines.push(hint);
  return new CliError(exitCodes.refused, lines.join('\n'));
}

function hintFor({ key }: BridgeAddress, status: number, code: string | undefined): string | undefined {
  if (status === 401 && key === undefined)
    return 'Put a key into COMFY_BRIDGE_KEY, or name a file that holds it with --key-file.';
  if (status === 401) return 'The key that was sent is wrong, expired or revoked.';
  if (code === 'unknown_workflow') return 'See comfy-bridge workflows.';
  return undefined;
}

/** No answer: nothing listens there, the name is unknown, the certificate is not trusted, or it takes too long. */
export function notReached({ url, namedBy }: BridgeAddress, cause: unknown): CliError {
  const where =
    namedBy === '--url' || namedBy === 'COMFY_BRIDGE_URL'
      ? `Look at ${namedBy}, and whether the bridge runs.`
      : 'Start it with comfy-bridge start, or say where it is with --url or COMFY_BRIDGE_URL.';
  return new CliError(exitCodes.unreachable, `no bridge answers at ${url}: ${reasonOf(cause)}. ${where}`, {
    cause,
  });
}

function noBridge({ url }: BridgeAddress, cause: unknown): CliError {
  const message = `what answers at ${url} is no bridge, or one of another version: look at the address`;
  return new CliError(exitCodes.unreachable, message, { cause });
}

/** Why a connection failed, in words. */
export function reasonOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'TimeoutError') return 'it takes too long to answer';
    const code = 'code' in cause ? String(cause.code) : '';
    if (code === 'ECONNREFUSED') return 'nothing listens there';
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name cannot be resolved';
    if (/CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY/.test(code))
      return `its certificate is not trusted (${code}; NODE_EXTRA_CA_CERTS names more authorities)`;
    if (code.startsWith('E') || code.startsWith('UND_')) return `the connection failed (${code})`;
    if (cause.cause === undefined) return toPlainText(cause.message);
  }
  return 'the connection failed';
}

/** `{"error": {"code", "message", "details"?}}`, or `{"detail"}`; nothing of it from a proxy or another server. */
function readEnvelope(text: string): Omit<Refusal, 'status'> {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return {};
  }
  if (!isRecord(answer)) return {};
  const { error, detail } = answer;
  if (typeof detail === 'string') return { message: detail };
  if (!isRecord(error) || typeof error['message'] !== 'string') return {};
  const { code, message, details } = error;
  return { message, details, code: typeof code === 'string' ? code : undefined };
}
