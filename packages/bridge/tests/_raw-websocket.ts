import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

export interface FrameOptions {
  /** Default true: the last of its message. */
  fin?: boolean;
  /** Reserved bits, 0 to 7. */
  rsv?: number;
  masked?: boolean;
  /** How the length is written, whatever it is; default the shortest way. */
  lengthBytes?: 0 | 2 | 8;
  /** What the length says, when it is not true. */
  claimed?: bigint;
}

export const opcodes = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as a client may not write it, too. */
export function toFrame(opcode: number, payload: string | Buffer = '', options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, masked = true } = options;
  const bytes = Buffer.from(payload);
  const claimed = options.claimed ?? BigInt(bytes.length);
  const lengthBytes = options.lengthBytes ?? (claimed < 126n ? 0 : claimed < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | (opcode & 15);
  head[1] =
    (masked ? 0x80 : 0) | (lengthBytes === 8 ? 127 : lengthBytes === 2 ? 126 : Number(claimed & 127n));
  if (lengthBytes === 8) head.writeBigUInt64BE(claimed, 2);
  else if (lengthBytes === 2) head.writeUInt16BE(Number(claimed & 0xffffn), 2);
  if (!masked) return Buffer.concat([head, bytes]);
  const mask = randomBytes(4);
  for (const [index, byte] of bytes.entries()) bytes[index] = byte ^ (mask[index & 3] ?? 0);
  return Buffer.concat([head, mask, bytes]);
}

export function toClosePayload(code: number, reason: string | Buffer = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

export interface ReceivedFrame {
  opcode: number;
  payload: Buffer;
}

/** The frames of a server: never masked, whole, without reserved bits. Throws for any other. */
export function readFrames(bytes: Buffer): { frames: ReceivedFrame[]; rest: Buffer } {
  const frames: ReceivedFrame[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const [first = 0, second = 0] = bytes.subarray(at, at + 2);
    if ((first & 0xf0) !== 0x80 || (second & 0x80) !== 0) throw new Error(`no frame of a server at ${at}`);
    const lengthBytes = second === 127 ? 8 : second === 126 ? 2 : 0;
    const start = at + 2 + lengthBytes;
    if (start > bytes.length) break;
    const length =
      lengthBytes === 8
        ? Number(bytes.readBigUInt64BE(at + 2))
        : lengthBytes === 2
          ? bytes.readUInt16BE(at + 2)
          : second;
    if (start + length > bytes.length) break;
    frames.push({ opcode: first & 15, payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return { frames, rest: bytes.subarray(at) };
}

export const handshake = (target: string, extra: readonly string[] = []) =>
  `GET ${target} HTTP/1.1\r\n${['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...extra].join('\r\n')}\r\n\r\n`;

export interface Spoken {
  /** Of the answer to the handshake; 0 for none. */
  status: number;
  head: string;
  frames: ReceivedFrame[];
  /** Of the closing frame that came; 1005 for one without; undefined where none came. */
  closeCode: number | undefined;
}

const deadline = 10_000;

export interface SpeakOptions {
  /** Everything at once, before the handshake is answered. */
  early?: boolean;
  /** Ends its side behind the last piece. */
  hangUp?: boolean;
}

/** Shakes hands, sends bytes with it or behind the answer, and reads until the server has ended its side. */
export async function speak(
  url: string,
  opening: string,
  pieces: readonly Buffer[],
  { early = false, hangUp = false }: SpeakOptions = {},
): Promise<Spoken> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let received = Buffer.alloc(0);
  let isSent = early;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('the WebSocket was not ended')), deadline);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => resolve());
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (isSent || !received.includes('\r\n\r\n')) return;
    isSent = true;
    for (const piece of pieces) socket.write(piece);
    if (hangUp) socket.end();
  });
  socket.write(
    early ? Buffer.concat([Buffer.from(opening, 'latin1'), ...pieces]) : Buffer.from(opening, 'latin1'),
  );
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  const headEnd = received.indexOf('\r\n\r\n');
  const head = received.subarray(0, Math.max(headEnd, 0)).toString('latin1');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0);
  if (status !== 101) return { status, head, frames: [], closeCode: undefined };
  const { frames } = readFrames(received.subarray(headEnd + 4));
  const closing = frames.find(({ opcode }) => opcode === opcodes.close);
  const closeCode =
    closing === undefined ? undefined : closing.payload.length < 2 ? 1005 : closing.payload.readUInt16BE();
  return { status, head, frames, closeCode };
}
