import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface RawAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  /** The first bytes of the body, as text. */
  text: string;
}

/**
 * Sends the head of a request, with no body, and resolves with what is answered to that; undefined when nothing is within
 * `timeoutMs`. Rejects when nothing can be reached. The connection ends either way.
 */
export function sendHead(
  url: string,
  { method, headers, timeoutMs }: { method: string; headers: Record<string, string>; timeoutMs: number },
): Promise<RawAnswer | undefined> {
  const send = url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = send(url, { method, headers, agent: false });
    const timer = setTimeout(() => end(undefined), timeoutMs);
    function end(answer: RawAnswer | undefined): void {
      clearTimeout(timer);
      resolve(answer);
      request.destroy();
    }
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.on('upgrade', (answer, socket) => {
      socket.on('error', () => {}).destroy();
      end({ status: answer.statusCode ?? 0, headers: answer.headers, text: '' });
    });
    request.on('response', (answer) => {
      const { statusCode: status = 0, headers } = answer;
      // The first bytes tell whose answer it is.
      answer.once('data', (chunk: Buffer) => end({ status, headers, text: chunk.toString('utf8') }));
      answer.once('end', () => end({ status, headers, text: '' }));
      answer.on('error', () => {});
    });
    request.flushHeaders();
    if (headers['content-length'] === undefined) request.end();
  });
}
