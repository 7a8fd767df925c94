import { readFileExactly, toBodyStream, type StreamedBody, type StreamedFile } from './streamed-file.ts';

/** `{"files":[{"file_name","content_type","content":"<base64>"}]}`, streamed without holding a whole file in memory. */
export function createBase64JsonBody(files: readonly StreamedFile[]): StreamedBody {
  const heads = files.map((file, index) => ({ file, head: toHead(file, index === 0) }));
  const start = Buffer.from('{"files":[');
  const end = Buffer.from(']}');
  const contentLength = heads.reduce(
    (sum, { file, head }) => sum + head.length + 4 * Math.ceil(file.size / 3) + 2,
    start.length + end.length,
  );

  async function* write(signal: AbortSignal): AsyncGenerator<Buffer> {
    yield start;
    for (const { file, head } of heads) {
      yield head;
      yield* encode(file, signal);
      yield Buffer.from('"}');
    }
    yield end;
  }

  return {
    contentType: 'application/json',
    contentLength,
    stream: toBodyStream(write),
  };
}

function toHead({ fileName, contentType }: StreamedFile, first: boolean): Buffer {
  const fields = JSON.stringify({ file_name: fileName, content_type: contentType });
  return Buffer.from(`${first ? '' : ','}${fields.slice(0, -1)},"content":"`);
}

/** Base64 in steps: three bytes make four letters, so that what is left of a chunk goes to the next. */
async function* encode(file: StreamedFile, signal: AbortSignal): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of readFileExactly(file, signal)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % 3);
    rest = Buffer.from(bytes.subarray(whole));
    if (whole > 0) yield Buffer.from(bytes.toString('base64', 0, whole), 'latin1');
  }
  if (rest.length > 0) yield Buffer.from(rest.toString('base64'), 'latin1');
}
