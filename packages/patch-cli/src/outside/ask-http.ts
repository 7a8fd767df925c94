import { request as askPlain } from 'node:http';
import { request as askTls } from 'node:https';

import type { Answer, Request } from '../commands/host.ts';
import { errorCode } from '../disk/error-code.ts';

/** No answer that is of use is longer. */
const maxBytes = 1_000_000;

/** One request with a deadline for all of it. Node's own client: fetch warns of itself on Node 18. */
export function askHttp({ url, method, body, timeoutMs }: Request): Promise<Answer> {
  return new Promise((resolve) => {
    const ask = url.startsWith('https:') ? askTls : askPlain;
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = ask(url, { method, headers, agent: false, signal: AbortSignal.timeout(timeoutMs) });
    const fail = (error: Error) => {
      const code = errorCode(error);
      if (error.name === 'TimeoutError' || error.name === 'AbortError') resolve({ kind: 'timed-out' });
      else if (['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN'].includes(code))
        resolve({ kind: 'refused' });
      else resolve({ kind: 'failed', reason: code === '' ? error.message : code });
    };
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) request.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('end', () =>
        resolve({
          kind: 'answer',
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.end(body);
  });
}
