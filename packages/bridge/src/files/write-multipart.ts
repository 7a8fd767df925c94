import { randomBytes } from 'node:crypto';
import { readFileExactly, toBodyStream, type StreamedBody, type StreamedFile } from './streamed-file.ts';

export interface MultipartPart extends StreamedFile {
  name: string;
}

/** A multipart/form-data body (RFC 7578), streamed one file at a time. */
export function createMultipartBody(parts: readonly MultipartPart[]): StreamedBody {
  const boundary = `----comfy-bridge-${randomBytes(16).toString('hex')}`;
  const heads = parts.map((part, index) => ({ part, head: toHead(part, boundary, index === 0) }));
  const end = Buffer.from(parts.length === 0 ? `--${boundary}--\r\n` : `\r\n--${boundary}--\r\n`);
  const contentLength = heads.reduce((sum, { part, head }) => sum + head.length + part.size, end.length);

  async function* write(signal: AbortSignal): AsyncGenerator<Buffer> {
    for (const { part, head } of heads) {
      yield head;
      yield* readFileExactly(part, signal);
    }
    yield end;
  }

  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength,
    stream: toBodyStream(write),
  };
}

function toHead(part: MultipartPart, boundary: string, first: boolean): Buffer {
  const { name, fileName, contentType } = part;
  return Buffer.from(
    `${first ? '' : '\r\n'}--${boundary}\r\n` +
      `Content-Disposition: form-data; name="${escapeName(name)}"; filename="${escapeName(fileName)}"\r\n` +
      `Content-Type: ${contentType}\r\n\r\n`,
  );
}

/** As browsers do it: UTF-8 as it is, and only what would break the header escaped. RFC 7578 forbids `filename*`. */
function escapeName(text: string): string {
  return text.toWellFormed().replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}
