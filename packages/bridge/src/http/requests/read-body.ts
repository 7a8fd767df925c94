import type { IncomingMessage } from 'node:http';

import type { z } from 'zod';

import { BridgeError } from '../../errors.ts';
import { readJsonObject } from './read-json.ts';

/** Of most requests, which are small. */
const defaultMaxBytes = 256 * 1024;

/** Reads a JSON object of that shape; the refusal names each wrong field, and no value that was sent. */
export async function readBody<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  example: string,
  maxBytes = defaultMaxBytes,
): Promise<T> {
  return parseShape(schema, await readJsonObject(request, maxBytes, example));
}

/** A value of that shape; the refusal names each wrong field, and no value that was sent. */
export function parseShape<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`));
  throw new BridgeError('bad_request', problems.join('; ').slice(0, 1_000));
}
