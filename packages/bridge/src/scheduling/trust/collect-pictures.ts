import type { Backend } from '../../backends/fleet.ts';
import type { ViewedFile } from '../../comfy/comfy-client.ts';
import { ComfyError } from '../../comfy/comfy-error.ts';
import { readOutputs, selectDelivered } from '../../comfy/read-outputs.ts';
import type { OutputFile } from '../../comfy/read-outputs.ts';
import type { AttemptJob, SuccessfulEnd } from '../attempt/run-attempt.ts';
import type { MadePicture } from './judge-canary.ts';

export interface PicturesOf<T> {
  backend: Backend;
  job: AttemptJob;
  /** Undefined: it is no picture that can be read. */
  readPicture(content: Buffer): Promise<T | undefined>;
}

export interface PictureLimits {
  /** Of one picture. */
  maxBytes: number;
  maxPictures: number;
}

/** The pictures of one run, fetched when a job's would be: as soon as a node has saved them, the rest at the end. */
export interface PictureCollector<T> {
  /** A node has shown something. */
  take(nodeId: string, output: Record<string, unknown>): void;
  /** All of them, in the order of the outputs. Rejects with `ComfyError`. */
  collect(end: SuccessfulEnd, signal: AbortSignal): Promise<MadePicture<T>[]>;
}

export function createPictureCollector<T>(
  { backend, job, readPicture }: PicturesOf<T>,
  { maxBytes, maxPictures, signal: stop }: PictureLimits & { signal: AbortSignal },
): PictureCollector<T> {
  /** Resolves with undefined when it could not be had yet. */
  const early = new Map<string, Promise<MadePicture<T> | undefined>>();

  async function fetchOne(file: OutputFile, signal: AbortSignal): Promise<MadePicture<T>> {
    const { filename, subfolder, type } = file;
    const content = await readWhole(
      await backend.client.view({ filename, subfolder, type, signal }),
      maxBytes,
    );
    if (content === undefined) return { ok: false, fault: 'its picture is far too large' };
    const picture = await readPicture(content);
    return picture === undefined
      ? { ok: false, fault: 'its picture cannot be decoded' }
      : { ok: true, picture };
  }

  function select(files: readonly OutputFile[]): OutputFile[] {
    const delivered = selectDelivered(files, job.outputNodes);
    return delivered.filter(({ kind }) => kind === 'image').slice(0, maxPictures);
  }

  return {
    take(nodeId, output) {
      const saved = readOutputs({ [nodeId]: output }).files.filter(({ type }) => type === 'output');
      for (const file of select(saved)) {
        const identity = identityOf(file);
        if (early.size >= maxPictures || early.has(identity)) continue;
        const fetched = fetchOne(file, stop).catch(() => undefined);
        early.set(identity, fetched);
      }
    },
    async collect({ outputs, meta }, signal) {
      const made: MadePicture<T>[] = [];
      for (const file of select(readOutputs(outputs, meta).files))
        made.push((await early.get(identityOf(file))) ?? (await fetchOne(file, signal)));
      return made;
    },
  };
}

/** Undefined when it is longer than that. */
async function readWhole(
  { body, contentLength = 0 }: ViewedFile,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    if (contentLength > maxBytes) return undefined;
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) throw new ComfyError('malformed', 'GET /view: a picture came as text');
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) return undefined;
    }
    return Buffer.concat(chunks);
  } finally {
    body.destroy();
  }
}

function identityOf({ type, subfolder, filename }: OutputFile): string {
  return JSON.stringify([type, subfolder, filename]);
}
