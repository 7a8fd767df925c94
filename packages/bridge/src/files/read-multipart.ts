import { once } from 'node:events';
import { finished as finishedStream, type Readable } from 'node:stream';
import { Dicer } from '@fastify/busboy';
import { BridgeError } from '../errors.ts';
import { createDeferred } from '../lib/deferred.ts';
import { parsePartHeader, type PartHeader } from './part-header.ts';

/** Bytes buffered before the sender has to wait. */
const buffered = 1024 * 1024;
/** Files and fields together. */
const maxParts = 1000;
const malformed = 'the body is not valid multipart/form-data; it ends early or is damaged';

export interface MultipartSource {
  /** Of the request. */
  contentType: string | undefined;
  stream: Readable;
  signal: AbortSignal | undefined;
}

/**
 * Reads a multipart/form-data body, one part after the other. `onPart` must consume or destroy `body`; resolves when every
 * part was handed out and its body consumed. On any failure, also one of `onPart` or the sender going away, it rejects at
 * once and leaves `stream` paused, so that the caller decides between an early answer and hanging up.
 *
 * Built on busboy's parser rather than on busboy itself, because busboy does not tell a part declared as text from a part
 * that declares nothing, and drops the encodings that Korean file names come in.
 */
export async function readMultipart(
  { contentType, stream, signal }: MultipartSource,
  onPart: (header: PartHeader, body: Readable) => Promise<void>,
): Promise<void> {
  const parser = createParser(parseBoundary(contentType));
  const failure = createDeferred<never>();
  const fail = (error: unknown): void => failure.reject(error);
  const handled: Promise<void>[] = [];
  let parts = 0;
  parser.on('part', (part: Readable) => {
    parts += 1;
    if (parts > maxParts)
      return fail(new BridgeError('bad_request', `the form has more than ${maxParts} parts`));
    // Without a listener an early end of the body would be an uncaught error.
    part.on('error', () => {});
    part.once('header', (raw: unknown) => {
      const header = parsePartHeader(raw);
      if (header === undefined) return fail(new BridgeError('bad_request', malformed));
      const handling = onPart(header, part);
      handling.catch(fail);
      handled.push(handling);
    });
  });
  parser.on('error', (cause: Error) => fail(new BridgeError('bad_request', malformed, { cause })));
  const finished = once(parser, 'finish');
  finished.catch(() => {}); // the same error as above
  const onAbort = (): void => fail(interrupted());
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  const unplug = feed(stream, parser, fail);
  try {
    await Promise.race([failure.promise, finished]);
    if (parts > handled.length) throw new BridgeError('bad_request', malformed);
    await Promise.race([failure.promise, Promise.all(handled)]);
  } catch (error) {
    stream.pause();
    parser.destroy();
    throw error;
  } finally {
    unplug();
    signal?.removeEventListener('abort', onAbort);
  }
}

function createParser(boundary: string): Dicer {
  // Options that the parser takes and its types do not know.
  const options = {
    boundary,
    maxHeaderPairs: 32,
    maxHeaderSize: 16 * 1024,
    highWaterMark: buffered,
    partHwm: buffered,
  };
  return new Dicer(options);
}

/** Pumps until the end. `pipe` would not say when the sender goes away. Returns how to stop. */
function feed(stream: Readable, parser: Dicer, fail: (error: unknown) => void): () => void {
  const onData = (chunk: Buffer): void => {
    if (!parser.write(chunk)) stream.pause();
  };
  const onDrain = (): void => {
    stream.resume();
  };
  parser.on('drain', onDrain);
  stream.on('data', onData);
  const stopWatching = finishedStream(stream, { writable: false }, (error) => {
    if (error === undefined || error === null) parser.end();
    else fail(interrupted(error));
  });
  return () => {
    stopWatching();
    stream.off('data', onData);
    parser.off('drain', onDrain);
    // A sender that goes away while it is answered must not bring the process down.
    stream.on('error', () => {});
  };
}

function interrupted(cause?: unknown): BridgeError {
  return new BridgeError('bad_request', 'the upload was broken off', { cause });
}

function parseBoundary(contentType: string | undefined): string {
  if (contentType === undefined || !/^multipart\/form-data\s*(?:;|$)/i.test(contentType)) {
    throw new BridgeError(
      'bad_request',
      'send the files as multipart/form-data, each in a part with a filename',
    );
  }
  const [, quoted, bare] = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;",]{1,70}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) {
    throw new BridgeError(
      'bad_request',
      'the Content-Type header has no valid boundary; let your HTTP client set the header by itself',
    );
  }
  return boundary;
}
