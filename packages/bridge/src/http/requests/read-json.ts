import type { IncomingMessage } from 'node:http';

import { BridgeError } from '../../errors.ts';
import { isDeeperThan } from '../../lib/json-depth.ts';
import { parseLossless } from '../../lib/lossless-json.ts';

/** The deepest graphs of the editor have a few dozen. */
const maxDepth = 500;
const jobExample = '{"workflow": "text-to-image", "6/text": "a cat"}';

/**
 * Reads a JSON object of at most `maxBytes` whatever its declared type (clients in the field send all sorts). Too much is
 * refused before it is read; integers beyond 2^53 survive as `bigint`. `example` is for the refusal.
 */
export async function readJsonObject(
  request: IncomingMessage,
  maxBytes: number,
  example = jobExample,
): Promise<Record<string, unknown>> {
  return (await readJsonDocument(request, maxBytes, example)).value;
}

/** The same with its text, for what must be kept as it was written. */
export async function readJsonDocument(
  request: IncomingMessage,
  maxBytes: number,
  example: string,
): Promise<{ text: string; value: Record<string, unknown> }> {
  const expectation = `send a JSON object such as ${example}`;
  const { text, value } = parseText(await readBytes(request, maxBytes), expectation);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BridgeError('bad_request', `the request body is not a JSON object: ${expectation}`);
  }
  return { text, value: Object.fromEntries(Object.entries(value)) };
}

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => new BridgeError('too_large', `the request body is larger than ${maxBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not destroy the request: its connection has the answer to carry.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function parseText(bytes: Buffer, expectation: string): { text: string; value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (isDeeperThan(text, maxDepth)) throw new RangeError(`nested more than ${maxDepth} deep`);
    return { text, value: parseLossless(text) };
  } catch (error) {
    // SyntaxError, invalid UTF-8, or nested too deeply for what reads it later.
    throw new BridgeError('bad_request', `the request body is not valid JSON: ${expectation}`, {
      cause: error,
    });
  }
}
