import { parentPort } from 'node:worker_threads';

import { toOfferSource } from './definition-pool.ts';
import type { OfferSource } from './definition-pool.ts';
import type { FromReader, ToReader } from './object-info-messages.ts';
import { hashBody, packObjectInfo } from './pack-object-info.ts';

// The thread that reads large `/object_info`: parsing tens of megabytes takes a second that the event loop does not have.

function main(): void {
  if (parentPort === null) throw new Error('this file runs as a worker thread of the bridge');
  const port = parentPort;
  let source: OfferSource | undefined;

  function open({ blocks, unless }: Extract<ToReader, { kind: 'open' }>): FromReader {
    const bytes = Buffer.concat(blocks);
    const bodyHash = hashBody(bytes);
    if (bodyHash === unless) return { kind: 'same' };
    const packed = packObjectInfo(bytes);
    if (!packed.ok) return { kind: 'unusable', problem: packed.problem };
    source = toOfferSource(packed.offer);
    return { kind: 'opened', bodyHash, signature: source.signature, classCount: source.classCount };
  }

  async function answer(message: ToReader): Promise<FromReader | undefined> {
    if (message.kind === 'open') return open(message);
    if (message.kind === 'close') return void (source = undefined);
    if (source === undefined) throw new Error('nothing is open');
    switch (message.kind) {
      case 'classes':
        return { kind: 'classes', classes: await source.classes(message.from, message.to) };
      case 'definitions':
        return { kind: 'definitions', definitions: await source.definitions(message.indexes) };
      case 'lists':
        return { kind: 'lists', lists: await source.lists(message.hashes) };
      case 'pieces':
        return { kind: 'pieces', pieces: await source.pieces(message.hashes) };
    }
  }

  // An error ends the thread, which is how the other side hears of it.
  port.on('message', async (message: unknown) => {
    const reply = await answer(parseMessage(message));
    if (reply !== undefined) port.postMessage(reply);
  });
}

/** Messages come from our own `ObjectInfoReader` only. */
function parseMessage(message: unknown): ToReader {
  return message as ToReader;
}

main();
