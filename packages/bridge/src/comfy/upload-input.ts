import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { ComfyError } from './comfy-error.ts';
import { type ComfyHttp, parseJsonAnswer, unusableStatus } from './comfy-http.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { isRecord } from '../lib/is-record.ts';
import { toText } from './read-fields.ts';

export interface InputUpload {
  fileName: string;
  contentType: string;
  /** Exact length of `body`, bytes: the request's length is announced. */
  size: number;
  body: Readable;
  /** Below the backend's input folder; '' for none. */
  subfolder: string;
  signal?: AbortSignal;
  /** For the whole transfer, ms; default 10 min. A transfer that stalls ends earlier, by the client's idle timeout. */
  deadlineMs?: number;
}

const LABEL = 'POST /upload/image';

/**
 * Streams a file of any kind into the backend's input folder and returns the value to write into the graph. That is made of
 * the name that the backend answers: it renames when another file of that name is there. `body` is always consumed or
 * destroyed. A body that fails or has another size than announced is `aborted`: not the backend's fault.
 */
export async function uploadInput(http: ComfyHttp, upload: InputUpload): Promise<string> {
  using stall = startDeadline(LABEL, http.idleTimeoutMs, upload.signal);
  const form = toForm(upload);
  const body = Readable.from(writeForm(form, upload, stall), { objectMode: false });
  try {
    const answer = await http.send({
      method: 'POST',
      path: '/upload/image',
      headers: {
        'content-type': `multipart/form-data; boundary=${form.boundary}`,
        'content-length': String(form.head.length + upload.size + form.tail.length),
      },
      body,
      signal: stall.signal,
      deadlineMs: upload.deadlineMs ?? 600_000,
    });
    if (answer.status !== 200) throw unusableStatus(answer.status, LABEL);
    return toInputValue(parseJsonAnswer(answer, LABEL), upload.subfolder);
  } catch (error) {
    // The stall timer and the caller reach the call as one signal; what it was is in the signal's reason.
    throw stall.signal.aborted ? stall.signal.reason : error;
  } finally {
    body.on('error', () => {}).destroy();
    upload.body.on('error', () => {}).destroy();
  }
}

interface Form {
  boundary: string;
  head: Buffer;
  tail: Buffer;
}

function toForm({ fileName, contentType, subfolder }: InputUpload): Form {
  const boundary = `bridge-${randomUUID()}`;
  const fields: [string, string][] = [
    ['type', 'input'],
    ['subfolder', subfolder],
  ];
  const parts = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file =
    `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="${escapeName(fileName)}"\r\n` +
    `Content-Type: ${contentType.replaceAll(/[\r\n]/g, '')}\r\n\r\n`;
  return { boundary, head: Buffer.from(parts.join('') + file), tail: Buffer.from(`\r\n--${boundary}--\r\n`) };
}

async function* writeForm(form: Form, upload: InputUpload, stall: Deadline): AsyncGenerator<Buffer> {
  yield form.head;
  let sent = 0;
  try {
    for await (const chunk of upload.body) {
      const bytes: Buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      sent += bytes.length;
      if (sent > upload.size) break;
      yield bytes;
      stall.refresh();
    }
  } catch (cause) {
    throw new ComfyError('aborted', `${LABEL}: the file could not be read`, { cause });
  }
  if (sent !== upload.size)
    throw new ComfyError('aborted', `${LABEL}: the file is not of the announced size`);
  yield form.tail;
  stall.refresh();
}

/** As browsers do in multipart forms. */
function escapeName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function toInputValue(json: unknown, sentSubfolder: string): string {
  const name = isRecord(json) ? toText(json['name']) : '';
  if (!isRecord(json) || name === '') throw new ComfyError('malformed', `${LABEL}: the answer has no name`);
  const subfolder = typeof json['subfolder'] === 'string' ? json['subfolder'] : sentSubfolder;
  return subfolder === '' ? name : `${subfolder}/${name}`;
}
