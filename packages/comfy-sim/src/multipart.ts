import type { IncomingHttpHeaders } from 'node:http';
import { Busboy } from '@fastify/busboy';

export interface UploadForm {
  fields: Record<string, string>;
  file: { field: string; filename: string; bytes: Uint8Array } | undefined;
}

/** Parses a `multipart/form-data` body. Undefined when it is none, or a broken one. */
export function parseMultipart(
  headers: IncomingHttpHeaders,
  body: Uint8Array,
): Promise<UploadForm | undefined> {
  const { 'content-type': type } = headers;
  if (!type?.startsWith('multipart/form-data')) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const form: UploadForm = { fields: {}, file: undefined };
    try {
      const parser = new Busboy({ headers: { ...headers, 'content-type': type }, preservePath: true });
      parser.on('field', (name, value) => {
        form.fields[name] = value;
      });
      parser.on('file', (field, stream, filename) => {
        const chunks: Buffer[] = [];
        stream.on('error', () => resolve(undefined));
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          form.file ??= { field, filename: filename ?? '', bytes: Buffer.concat(chunks) };
        });
      });
      parser.on('error', () => resolve(undefined));
      parser.on('finish', () => resolve(form));
      parser.end(body);
    } catch {
      // No boundary in the content type.
      resolve(undefined);
    }
  });
}
