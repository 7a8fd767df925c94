import { WebSocket } from 'ws';

/** How long any single wait may take: generous for a real server on a slow machine. */
export const DEADLINE_MS = 20_000;

export interface Frame {
  /** The event's `type`, or `binary` or `close`. */
  type: string;
  data: Record<string, unknown>;
  bytes?: Buffer;
}

export interface Graph {
  [id: string]: { class_type: string; inputs: Record<string, unknown> };
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body parsed, or undefined when it is not JSON. */
  json: Record<string, unknown> | undefined;
}

/** One ComfyUI server, real or simulated, over plain HTTP. */
export class ComfyServer {
  readonly url: string;

  constructor(url: string) {
    this.url = url.replace(/\/$/, '');
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return toAnswer(await fetch(this.url + path, { headers, signal: AbortSignal.timeout(DEADLINE_MS) }));
  }

  async bytes(
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: Headers; body: Buffer }> {
    const response = await fetch(this.url + path, { headers, signal: AbortSignal.timeout(DEADLINE_MS) });
    return {
      status: response.status,
      headers: response.headers,
      body: Buffer.from(await response.arrayBuffer()),
    };
  }

  /** A string is sent as it is, anything else as JSON. */
  async post(path: string, body: unknown): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { 'content-type': 'application/json' };
    return toAnswer(
      await fetch(this.url + path, {
        method: 'POST',
        headers,
        body: text,
        signal: AbortSignal.timeout(DEADLINE_MS),
      }),
    );
  }

  async upload(
    path: string,
    file: { name: string; bytes: Uint8Array } | undefined,
    fields: Record<string, string> = {},
  ): Promise<Answer> {
    const form = new FormData();
    if (file) form.append('image', new Blob([Buffer.from(file.bytes)]), file.name);
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    return toAnswer(
      await fetch(this.url + path, { method: 'POST', body: form, signal: AbortSignal.timeout(DEADLINE_MS) }),
    );
  }

  connect(options: { clientId?: string; previewMetadata?: boolean } = {}): Promise<ComfySocket> {
    return ComfySocket.open(this.url, options);
  }
}

/** A client on the server's WebSocket that waits for frames, never for time. */
export class ComfySocket {
  readonly clientId: string;
  readonly frames: Frame[] = [];
  readonly #socket: WebSocket;
  #notify: () => void = () => undefined;
  #read = 0;

  private constructor(socket: WebSocket, clientId: string) {
    this.#socket = socket;
    this.clientId = clientId;
    socket.on('error', () => undefined);
    socket.on('close', (code) => this.#add({ type: 'close', data: { code } }));
    socket.on('message', (data, isBinary) => this.#add(toFrame(data, isBinary)));
  }

  static async open(
    url: string,
    options: { clientId?: string; previewMetadata?: boolean },
  ): Promise<ComfySocket> {
    const clientId = options.clientId ?? crypto.randomUUID();
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws?clientId=${clientId}`, {
      perMessageDeflate: false,
    });
    const client = new ComfySocket(socket, clientId);
    if (options.previewMetadata) {
      socket.once('open', () =>
        socket.send('{"type":"feature_flags","data":{"supports_preview_metadata":true}}'),
      );
      await client.until((frame) => frame.type === 'feature_flags');
    }
    await client.until((frame) => frame.type === 'status' && frame.data.sid !== undefined, 0);
    return client;
  }

  /** The first frame not yet passed (or from an index on) that fits. Rejects after the deadline with what came instead. */
  async until(fits: (frame: Frame) => boolean, from = this.#read): Promise<Frame> {
    const deadline = Date.now() + DEADLINE_MS;
    for (let at = from; ; at += 1) {
      while (at >= this.frames.length) await this.#next(deadline);
      const frame = this.frames[at];
      if (!frame || !fits(frame)) continue;
      this.#read = Math.max(this.#read, at + 1);
      return frame;
    }
  }

  /** Waits for the end of a prompt: `executing` without a node, which comes after the history entry. */
  async untilDone(promptId: string): Promise<void> {
    await this.until((frame) => isDone(frame, promptId), 0);
  }

  /** Text frames of one prompt, in order, by type. */
  of(promptId: string): Frame[] {
    return this.frames.filter((frame) => frame.data.prompt_id === promptId);
  }

  close(): void {
    this.#socket.terminate();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #add(frame: Frame): void {
    this.frames.push(frame);
    this.#notify();
  }

  #next(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const seen = this.frames
        .slice(-12)
        .map((frame) => `${frame.type} ${JSON.stringify(frame.data).slice(0, 90)}`);
      const message = `no such frame within ${DEADLINE_MS} ms; the last were:\n${seen.join('\n')}`;
      const timer = setTimeout(() => reject(new Error(message)), Math.max(0, deadline - Date.now()));
      this.#notify = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

export function isDone(frame: Frame, promptId: string): boolean {
  return frame.type === 'executing' && frame.data.node === null && frame.data.prompt_id === promptId;
}

/** Splits a binary frame: event type, then what follows it. */
export function binaryEvent(frame: Frame): { event: number; rest: Buffer } {
  const bytes = frame.bytes ?? Buffer.alloc(4);
  return { event: bytes.readUInt32BE(0), rest: bytes.subarray(4) };
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function toFrame(data: unknown, isBinary: boolean): Frame {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.alloc(0);
  if (isBinary) return { type: 'binary', data: {}, bytes };
  const message = asRecord(JSON.parse(bytes.toString()));
  return { type: String(message.type), data: asRecord(message.data) };
}

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? (JSON.parse(text) as Record<string, unknown>) : undefined,
  };
}
