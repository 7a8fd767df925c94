import { createHash } from 'node:crypto';

import { stringifyLossless } from '../../lib/lossless-json.ts';
import { buildDocument } from './build-document.ts';
import type { OpenApiDocument } from './build-document.ts';
import { operations } from './operations.ts';
import { describeWorkflows } from './workflow-operations.ts';
import type { DescribedWorkflow } from './workflow-operations.ts';

export interface DocumentRequest {
  /** Origin and base path, as the caller reaches the bridge. */
  server: string;
  workflows: 'all' | 'none';
}

export interface WrittenDocument {
  text: string;
  /** Strong, quoted. */
  etag: string;
}

export interface DocumentCacheDeps {
  /** The bridge's. */
  version: string;
  /** Whether callers must show a key. */
  keysRequired: boolean;
  /** Equal (`===`, each part) as long as `describe` would give the same. */
  revision(): readonly unknown[];
  describe(): readonly DescribedWorkflow[];
}

/** Callers reach the bridge under a few names; a caller may make up more. */
const maxDocuments = 8;

/** Documents as text, made anew when the published workflows, or what the fleet knows of their nodes, change. */
export function createDocumentCache(deps: DocumentCacheDeps): (request: DocumentRequest) => WrittenDocument {
  const { version, keysRequired } = deps;
  const documents = new Map<string, WrittenDocument>();
  let known: readonly unknown[] | undefined;
  let base: OpenApiDocument | undefined;
  let own: OpenApiDocument | undefined;

  function forgetOld(): void {
    const revision = deps.revision();
    if (known !== undefined && revision.every((part, index) => part === known?.[index])) return;
    known = revision;
    own = undefined;
    documents.clear();
  }

  function build({ server, workflows }: DocumentRequest): unknown {
    base ??= buildDocument(operations, { version, keysRequired });
    const servers = [{ url: server }];
    if (workflows === 'none') return { ...base, servers };
    own ??= buildDocument(describeWorkflows(deps.describe()), { version, keysRequired });
    const schemas = { ...own.components.schemas, ...base.components.schemas };
    return {
      ...base,
      servers,
      // First of all what most readers look for.
      paths: { ...own.paths, ...base.paths },
      components: { ...base.components, schemas },
    };
  }

  return (request) => {
    forgetOld();
    const key = `${request.workflows} ${request.server}`;
    const kept = documents.get(key);
    if (kept !== undefined) return kept;
    const text = stringifyLossless(build(request));
    const written = { text, etag: `"${createHash('sha256').update(text).digest('base64url')}"` };
    const [oldest] = documents.keys();
    if (documents.size >= maxDocuments && oldest !== undefined) documents.delete(oldest);
    documents.set(key, written);
    return written;
  };
}
