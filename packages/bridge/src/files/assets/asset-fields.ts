import type { Readable } from 'node:stream';

import { v2AssetFieldsSchema } from '@comfy-bridge/protocol';
import type { V2AssetFields } from '@comfy-bridge/protocol';

import { BridgeError } from '../../errors.ts';
import { toShown } from '../refuse-file.ts';

/** Of all text fields of one request, in bytes. */
const maxFieldBytes = 64 * 1024;

const known = new Set(Object.keys(v2AssetFieldsSchema.shape));

/** The text fields of an asset upload, in the order in which they come. */
export interface AssetFields {
  /** Consumes `body`; fields that mean nothing to us are passed over. */
  receive(name: string | undefined, body: Readable): Promise<void>;
  /** What has come so far. Throws `BridgeError('bad_request')` that names the wrong fields. */
  parse(): V2AssetFields;
}

export function createAssetFields(): AssetFields {
  const values = new Map<string, string>();
  const tags: string[] = [];
  let bytes = 0;

  return {
    async receive(name, body) {
      const chunks: Buffer[] = [];
      for await (const chunk of body) {
        if (!Buffer.isBuffer(chunk)) throw new TypeError('a field is received as bytes');
        bytes += chunk.length;
        if (bytes > maxFieldBytes)
          throw new BridgeError('too_large', 'the form fields beside the file are too large');
        chunks.push(chunk);
      }
      if (name === undefined || !known.has(name)) return;
      const text = Buffer.concat(chunks).toString('utf8');
      if (name === 'tags') {
        tags.push(text);
        return;
      }
      if (values.has(name)) throw new BridgeError('bad_request', `${name}: is sent twice`);
      values.set(name, text);
    },
    parse: () => requireFields({ ...Object.fromEntries(values), ...(tags.length > 0 && { tags }) }),
  };
}

function requireFields(fields: Record<string, unknown>): V2AssetFields {
  const parsed = v2AssetFieldsSchema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new BridgeError('bad_request', toShown(problems.slice(0, 3).join('; ')));
}
