import { z } from 'zod';

export interface PartHeader {
  /** Undefined when missing or empty. */
  name: string | undefined;
  /** Undefined when missing or empty. */
  fileName: string | undefined;
  /** True when the part calls itself a file: it has a `filename`, be it empty, or is declared as binary. */
  isFile: boolean;
  /** As declared; undefined when the part declares nothing. */
  contentType: string | undefined;
}

const rawHeaderSchema = z.record(z.string(), z.array(z.string()));

/** Reads the headers of a part, whose bytes come as Latin-1. Undefined when it is no part of a form. */
export function parsePartHeader(raw: unknown): PartHeader | undefined {
  const headers = rawHeaderSchema.safeParse({ ...(typeof raw === 'object' ? raw : {}) });
  const disposition = headers.data?.['content-disposition']?.[0];
  if (disposition === undefined || !/^\s*form-data\s*(?:;|$)/i.test(disposition)) return undefined;
  const parameters = parseParameters(disposition);
  const encoded = decodeExtended(parameters.get('filename*'));
  const plain = parameters.get('filename');
  const fileName = encoded ?? (plain === undefined ? undefined : decodeBytes(plain));
  const contentType = headers.data?.['content-type']?.[0]?.trim();
  const isBinary = contentType !== undefined && /^application\/octet-stream\b/i.test(contentType);
  return {
    name: decodeBytes(parameters.get('name') ?? '') || undefined,
    fileName: fileName || undefined,
    isFile: fileName !== undefined || isBinary,
    contentType: contentType || undefined,
  };
}

function parseParameters(disposition: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, key, quoted, bare] of disposition.matchAll(
    /;\s*([\w*-]+)\s*=\s*(?:"((?:\\["\\]|[^"\\]|\\(?!["\\]))*)"|([^;]*))/g,
  )) {
    if (key === undefined) continue;
    // Some senders escape quotes with a backslash; a lone backslash is kept, so that a path is seen as one.
    parameters.set(key.toLowerCase(), quoted?.replace(/\\(["\\])/g, '$1') ?? bare?.trim() ?? '');
  }
  return parameters;
}

/** `UTF-8''%ED%95%9C.png` (RFC 5987). */
function decodeExtended(value: string | undefined): string | undefined {
  const [, charset, encoded] = /^([\w-]+)'[\w-]*'(.*)$/.exec(value ?? '') ?? [];
  if (charset === undefined || encoded === undefined) return undefined;
  const bytes = encoded.replace(/%([0-9a-f]{2})/gi, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return decodeAs(bytes, charset) ?? decodeBytes(bytes);
}

/** UTF-8 where it is valid; else the encoding of older Korean clients; else Latin-1, which fits anything. */
function decodeBytes(latin1: string): string {
  return decodeAs(latin1, 'utf-8') ?? decodeAs(latin1, 'euc-kr') ?? latin1;
}

function decodeAs(latin1: string, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(Buffer.from(latin1, 'latin1'));
  } catch {
    // An unknown charset, or bytes that are not in it: the caller tries the next.
    return undefined;
  }
}
