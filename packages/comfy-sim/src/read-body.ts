import type { IncomingMessage } from 'node:http';

/** The body is larger than `--max-upload-size` allows. */
export class TooLarge extends Error {
  override name = 'TooLarge';
}

export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      // The rest is read and thrown away, so that the answer reaches a client that is still sending.
      else reject(new TooLarge(`Maximum request body size ${maxBytes} exceeded, actual body size ${size}`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new Error('request ended early')));
  });
}
