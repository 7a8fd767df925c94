import { assetReferenceSchema } from '@comfy-bridge/protocol';

import { describeOperation } from './describe-operation.ts';
import type { Node } from './describe-operation.ts';
import { describeDefaultSecurity, describeSchemes } from './describe-security.ts';
import { methods, tags } from './operation.ts';
import type { Operation } from './operation.ts';
import { describeWebhooks } from './webhooks.ts';
import { createSchemaWriter } from './write-schema.ts';

export interface DocumentOptions {
  /** The bridge's. */
  version: string;
  /** Origin and base path, as the caller reaches it. Default: wherever the document came from. */
  server?: string;
  /** Whether callers must show a key. Default false. */
  keysRequired?: boolean;
}

const description = `Many ComfyUI machines behind one API.

- **Run a published workflow**: the operations under *workflows*, one for each of them.
- **Follow a job**: poll it, listen to its events, or be told by a webhook.
- **Follow links, don't build URLs**: answers hold them.

\`/api/v2\` is Comfy API v2. Below \`/api/\` every refusal is \`{"error": {"code", "message"}}\`, elsewhere \`{"detail"}\`.
Answers may gain fields; what a caller sends is checked, and refused where it is not known.`;

/** Plain data, to be written with `stringifyLossless`. */
export interface OpenApiDocument extends Node {
  readonly paths: Readonly<Record<string, Node>>;
  readonly components: { readonly schemas: Node; readonly securitySchemes: Node };
}

/** The OpenAPI 3.1 document of these operations. Pure. */
export function buildDocument(operations: readonly Operation[], options: DocumentOptions): OpenApiDocument {
  const { keysRequired = false } = options;
  const writer = createSchemaWriter();
  const paths: Record<string, Record<string, Node>> = {};
  for (const operation of operations) {
    const item = (paths[operation.path] ??= {});
    item[operation.method] = describeOperation(operation, writer, { keysRequired });
  }
  // Stands within graphs, which are any object.
  writer.write(assetReferenceSchema, 'input');
  return {
    openapi: '3.1.1',
    info: {
      title: 'comfy-bridge',
      version: options.version,
      description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: options.server ?? '/' }],
    security: describeDefaultSecurity(keysRequired),
    tags: Object.entries(tags).map(([name, words]) => ({ name, description: words })),
    paths: Object.fromEntries(
      Object.entries(paths).map(([path, item]) => [
        path,
        Object.fromEntries(
          methods.flatMap((method) => (item[method] === undefined ? [] : [[method, item[method]]])),
        ),
      ]),
    ),
    webhooks: describeWebhooks(writer),
    components: {
      schemas: sorted(writer.components()),
      securitySchemes: describeSchemes(keysRequired),
    },
  };
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
