import { PassThrough, Readable } from 'node:stream';

import type { Request, Response } from 'express';

import { BridgeError } from '../../errors.ts';

/** Of resumable uploads (https://tus.io/protocols/resumable-upload). */
const version = '1.0.0';
const headersIn = [
  'tus-resumable',
  'content-type',
  'content-length',
  'upload-length',
  'upload-offset',
  'upload-metadata',
  'upload-defer-length',
  'upload-concat',
];

/** False when the request was answered: the protocol asks for this status, which no other refusal has. */
export function requireTusVersion(request: Request, response: Response): boolean {
  response.setHeader('Tus-Resumable', version);
  if (request.get('Tus-Resumable') === version) return true;
  response.setHeader('Tus-Version', version);
  const message = `this is tus ${version}: send the header Tus-Resumable: ${version}`;
  response.status(412).json({ error: { code: 'bad_request', message } });
  request.resume();
  return false;
}

/**
 * The request as the protocol's own code takes it. Its body ends when the client goes away, so that what has come is kept;
 * `close` lets go of what nobody has read.
 */
export function toTusRequest(request: Request): { web: globalThis.Request; close(): void } {
  const headers = new Headers();
  for (const name of headersIn) {
    const value = request.get(name);
    if (value !== undefined) headers.set(name, value);
  }
  const { method, path } = request;
  const url = `http://bridge${path}`;
  if (method !== 'POST' && method !== 'PATCH') {
    return { web: new globalThis.Request(url, { method, headers }), close: () => {} };
  }
  const body = new PassThrough({ highWaterMark: 1024 * 1024 });
  request.on('error', () => {});
  request.once('close', () => body.end());
  request.pipe(body);
  return {
    web: new globalThis.Request(url, { method, headers, body: Readable.toWeb(body), duplex: 'half' }),
    close() {
      request.unpipe(body);
      body.on('error', () => {});
      body.destroy();
    },
  };
}

/** Sends what the protocol's own code answers, except for what is said of other origins: that is our own affair. */
export async function answerTus(answer: globalThis.Response, response: Response): Promise<void> {
  if (answer.status >= 400)
    throw new BridgeError(answer.status === 404 ? 'not_found' : 'bad_request', await readReason(answer));
  for (const [name, value] of answer.headers) {
    if (!name.startsWith('access-control-') && name !== 'content-length' && name !== 'content-type')
      response.setHeader(name, value);
  }
  response.status(answer.status).end();
}

async function readReason(answer: globalThis.Response): Promise<string> {
  return (await answer.text()).trim().slice(0, 200) || 'this request is not a step of an upload';
}

/** Refusals of the protocol's own code are plain objects or errors with a status; ours go as they are. */
export function toTusRefusal(error: unknown, { maxBytes }: { maxBytes: number }): unknown {
  if (error instanceof BridgeError) return error;
  if (typeof error !== 'object' || error === null || !('status_code' in error)) return error;
  const status = error.status_code;
  const reason = 'body' in error && typeof error.body === 'string' ? error.body.trim() : '';
  switch (status) {
    case 404:
    case 410:
      return new BridgeError('not_found', 'there is no such upload (any more)');
    case 409:
      return new BridgeError(
        'conflict',
        'Upload-Offset is not where the upload stands: ask for it with HEAD',
      );
    case 413:
      return new BridgeError(
        'too_large',
        `an upload has the length that it announced, and at most ${maxBytes} bytes`,
      );
    case 500:
      return new BridgeError('unavailable', 'the upload cannot be gone on with now: try again');
    default:
      return new BridgeError('bad_request', reason || 'this request is not a step of an upload');
  }
}
