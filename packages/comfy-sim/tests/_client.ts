import { WebSocket } from 'ws';
import type { ApiPrompt, Sim } from '../src/sim.ts';

export interface Message {
  type: string;
  data: Record<string, unknown>;
}

/** A client of one simulator: a WebSocket that records, and the HTTP calls that tests need. */
export class Client {
  readonly id: string;
  readonly messages: Message[] = [];
  readonly binary: Buffer[] = [];
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #sim: Sim;
  #notify: () => void = () => undefined;

  private constructor(sim: Sim, id: string, socket: WebSocket) {
    this.#sim = sim;
    this.id = id;
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => {
      const bytes = Buffer.isBuffer(data) ? data : Buffer.alloc(0);
      if (isBinary) this.binary.push(bytes);
      else this.messages.push(parseMessage(bytes.toString()));
      this.#notify();
    });
  }

  static async connect(sim: Sim, id: string = crypto.randomUUID()): Promise<Client> {
    const client = new Client(sim, id, new WebSocket(`ws://${sim.address}/ws?clientId=${id}`));
    await client.until(() => client.messages.length > 0);
    return client;
  }

  async submit(prompt: ApiPrompt = graph(), more: Record<string, unknown> = {}): Promise<string> {
    const body = JSON.stringify({ prompt, client_id: this.id, ...more });
    const response = await fetch(`${this.#sim.url}/prompt`, { method: 'POST', body });
    const answer = (await response.json()) as Record<string, unknown>;
    if (response.status !== 200) throw new Error(JSON.stringify(answer));
    return String(answer.prompt_id);
  }

  post(path: string, body: unknown = {}): Promise<Response> {
    return fetch(this.#sim.url + path, { method: 'POST', body: JSON.stringify(body) });
  }

  async history(promptId: string): Promise<Record<string, unknown> | undefined> {
    const all = (await (await fetch(`${this.#sim.url}/history/${promptId}`)).json()) as Record<
      string,
      Record<string, unknown>
    >;
    return all[promptId];
  }

  types(): string[] {
    return this.messages.map((message) => message.type);
  }

  /** Waits until what was recorded fits; messages wake it, time does not. */
  async until(fits: () => boolean): Promise<void> {
    while (!fits()) {
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
    }
  }

  async untilOver(promptId: string): Promise<void> {
    await this.until(() =>
      this.messages.some(
        ({ type, data }) => type === 'executing' && data.node === null && data.prompt_id === promptId,
      ),
    );
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}

/** The text-to-image graph that everybody knows. */
export function graph(seed = 1, checkpoint = 'sd_xl_base_1.0.safetensors'): ApiPrompt {
  return {
    '3': {
      class_type: 'KSampler',
      inputs: {
        seed,
        steps: 4,
        cfg: 7,
        sampler_name: 'euler',
        scheduler: 'normal',
        denoise: 1,
        model: ['4', 0],
        positive: ['6', 0],
        negative: ['7', 0],
        latent_image: ['5', 0],
      },
    },
    '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: checkpoint } },
    '5': { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
    '6': { class_type: 'CLIPTextEncode', inputs: { text: 'a <glass> & bottle', clip: ['4', 1] } },
    '7': { class_type: 'CLIPTextEncode', inputs: { text: 'text', clip: ['4', 1] } },
    '8': { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
    '9': { class_type: 'SaveImage', inputs: { filename_prefix: 'sim', images: ['8', 0] } },
  };
}

function parseMessage(text: string): Message {
  try {
    return JSON.parse(text) as Message;
  } catch {
    // A test of odd frames sends such things on purpose.
    return { type: 'not-json', data: { text } };
  }
}
