import { createKeyedMutex } from '../lib/keyed-mutex.ts';
import type { BlockAnswer } from './comfy-http.ts';
import { createDefinitionPool, toOfferSource } from './definition-pool.ts';
import type { OfferSource } from './definition-pool.ts';
import type { NodeDefinitions } from './object-info.ts';
import { ObjectInfoThread, spawnObjectInfoWorker } from './object-info-thread.ts';
import type { ObjectInfoThreadOptions } from './object-info-thread.ts';
import { hashBody, packObjectInfo } from './pack-object-info.ts';

export type ReadOutcome =
  /** Byte for byte what is known. */
  | { kind: 'same' }
  /** Not what ComfyUI answers. `problem`: in words for the operator. */
  | { kind: 'unusable'; problem: string }
  | { kind: 'read'; bodyHash: string; signature: string; definitions: NodeDefinitions };

/** Reads `/object_info` of many backends, without holding up the event loop and keeping once what they have in common. */
export interface ObjectInfoReader extends AsyncDisposable {
  /** Takes the blocks away. `unless`: the hash of the body that is known already. Never rejects. */
  read(body: Pick<BlockAnswer, 'blocks' | 'size'>, unless: string | undefined): Promise<ReadOutcome>;
}

export interface ObjectInfoReaderOptions extends Partial<ObjectInfoThreadOptions> {
  /** Up to so many bytes are read at once, here; more, in a thread. Takes about 25 ms per MB. */
  inProcessBytes?: number;
  /** The thread ended, took too long or did not start. It is started again when there is more to read. */
  onLost?: (cause: unknown) => void;
}

export function createObjectInfoReader({
  inProcessBytes = 256 * 1024,
  deadlineMs = 60_000,
  idleMs = 10_000,
  spawn = spawnObjectInfoWorker,
  onLost = () => {},
}: ObjectInfoReaderOptions = {}): ObjectInfoReader {
  const pool = createDefinitionPool();
  const thread = new ObjectInfoThread({ deadlineMs, idleMs, spawn });
  const mutex = createKeyedMutex();

  async function readHere(bytes: Buffer, unless: string | undefined): Promise<ReadOutcome> {
    const bodyHash = hashBody(bytes);
    if (bodyHash === unless) return { kind: 'same' };
    const packed = packObjectInfo(bytes);
    if (!packed.ok) return { kind: 'unusable', problem: packed.problem };
    return adopt(bodyHash, toOfferSource(packed.offer));
  }

  async function readThere(
    blocks: readonly Uint8Array<ArrayBuffer>[],
    unless: string | undefined,
  ): Promise<ReadOutcome> {
    try {
      const transfer = blocks.map(({ buffer }) => buffer);
      const opened = await thread.ask(
        { kind: 'open', blocks, unless },
        ['opened', 'same', 'unusable'],
        transfer,
      );
      return opened.kind === 'opened' ? await adopt(opened.bodyHash, toRemoteSource(thread, opened)) : opened;
    } catch (error) {
      onLost(error);
      return { kind: 'unusable', problem: 'its list of nodes is too much to read' };
    } finally {
      thread.release();
    }
  }

  async function adopt(bodyHash: string, source: OfferSource): Promise<ReadOutcome> {
    return { kind: 'read', bodyHash, signature: source.signature, definitions: await pool.unpack(source) };
  }

  return {
    read: ({ blocks, size }, unless) =>
      size <= inProcessBytes
        ? readHere(Buffer.concat(blocks), unless)
        : mutex.run('thread', () => readThere(blocks, unless)),
    [Symbol.asyncDispose]: () => thread.close(),
  };
}

/** Each question is a turn of the event loop, so that what else goes on comes in between. */
function toRemoteSource(
  thread: ObjectInfoThread,
  { signature, classCount }: { signature: string; classCount: number },
): OfferSource {
  return {
    signature,
    classCount,
    classes: async (from, to) => (await thread.ask({ kind: 'classes', from, to }, ['classes'])).classes,
    definitions: async (indexes) =>
      (await thread.ask({ kind: 'definitions', indexes }, ['definitions'])).definitions,
    lists: async (hashes) => (await thread.ask({ kind: 'lists', hashes }, ['lists'])).lists,
    pieces: async (hashes) => (await thread.ask({ kind: 'pieces', hashes }, ['pieces'])).pieces,
  };
}
