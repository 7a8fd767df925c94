import { ConnectionError, toRefusal } from './errors.ts';
import type { Http } from './http.ts';
import { onAbort } from './waiting.ts';
import type { Job, JobOutput, OutputType } from './wire.ts';

export interface ReadOptions {
  signal?: AbortSignal | undefined;
}

/** One result of a job. Its bytes are fetched when they are asked for, as often as they are. */
export interface Output<Type extends OutputType = OutputType> {
  /** Its id as an asset: give it to another job as `{ asset: id }`. */
  id: string;
  name: string;
  type: Type;
  /** Such as `image/png`. */
  contentType: string;
  /** bytes */
  size: number;
  /** `blake3:<hex>`; null while the server has not computed it. */
  hash: string | null;
  /** Of the workflow that made it. */
  nodeId: string;
  url: string;
  bytes(options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  blob(options?: ReadOptions): Promise<Blob>;
  text(options?: ReadOptions): Promise<string>;
  /** As it comes; a break of the line is an error of the stream. */
  stream(options?: ReadOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** Node.js only: writes it to a file, which is there whole or not at all. */
  save(path: string, options?: ReadOptions): Promise<void>;
}

export interface OutputDeps {
  http: Http;
  /** Writes what `open` opens to a file. */
  writeFile(open: () => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>, path: string): Promise<void>;
}

/** What the outputs of a job object can do. */
export function toOutputs(deps: OutputDeps, { outputs }: Job): Output[] {
  return outputs.map((output) => toOutput(deps, output));
}

export function toOutput({ http, writeFile }: OutputDeps, output: JobOutput): Output {
  const { url, size_bytes: size, content_type: contentType } = output;

  const bytes = ({ signal }: ReadOptions = {}) =>
    http.request('GET', url, (response) => readAll(response, size), { signal, bytes: size });

  async function stream({ signal }: ReadOptions = {}) {
    const controller = new AbortController();
    onAbort(signal, () => controller.abort(signal?.reason));
    const response = await http.open(url, controller).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
    if (!response.ok) throw await toRefusal(response);
    return response.body ?? new Blob([]).stream();
  }

  return {
    id: output.id,
    name: output.name,
    type: output.type,
    contentType,
    size,
    hash: output.hash,
    nodeId: output.node_id,
    url,
    bytes,
    stream,
    blob: async (options) => new Blob([await bytes(options)], { type: contentType }),
    text: async (options) => new TextDecoder().decode(await bytes(options)),
    save: (path, options) => writeFile(() => stream(options), path),
  };
}

async function readAll(response: Response, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length === size) return bytes;
  throw new ConnectionError(`${bytes.length} of ${size} bytes of an output came`, undefined);
}
