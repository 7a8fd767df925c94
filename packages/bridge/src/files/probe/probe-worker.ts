import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

import { mediaInfoFactory } from 'mediainfo.js';
import type { MediaInfoResult, Track } from 'mediainfo.js';

import { maxToldStreams } from './probe-messages.ts';
import type { FromProber, ProbedMedia, ProbedStream, ToProber } from './probe-messages.ts';

// The thread that looks into sounds and videos. The parser is C++ in WebAssembly: what goes wrong in it stays in its own memory,
// and a file that makes it run for ever or eat without end costs this thread and nothing else.

declare const WebAssembly: {
  Memory: { prototype: { readonly buffer: ArrayBuffer; grow(pages: number): number } };
};

/** Of the parser. What it does not get it takes for an error, and the file is refused. */
const maxMemoryBytes = 256 * 1024 * 1024;
const chunkSize = 256 * 1024;
const nothing = new Uint8Array();

function main(): void {
  if (parentPort === null) throw new Error('this file runs as a worker thread of the bridge');
  const port = parentPort;
  const memory = limitMemory();
  const prober = mediaInfoFactory({ format: 'object', chunkSize });
  // An error ends the thread, which is how the other side hears of it.
  port.on('message', async (message: unknown) => {
    const { content, size, maxRead } = parseMessage(message);
    const read = openContent(content);
    let left = maxRead;
    try {
      const result = await (
        await prober
      ).analyzeData(size, (length, offset) => {
        const bytes = left > 0 ? read.chunk(Math.min(length, left), offset) : nothing;
        left -= bytes.length;
        return bytes;
      });
      const reply: FromProber = { media: describe(result), memoryBytes: memory.bytes() };
      port.postMessage(reply);
    } finally {
      read.close();
    }
  });
}

/** Every growth goes through here, since the parser asks for it from JavaScript. */
function limitMemory(): { bytes(): number } {
  const { grow } = WebAssembly.Memory.prototype;
  let bytes = 0;
  WebAssembly.Memory.prototype.grow = function limited(pages) {
    const wanted = this.buffer.byteLength + pages * 65_536;
    if (wanted > maxMemoryBytes) throw new RangeError('the parser wants too much memory');
    bytes = Math.max(bytes, wanted);
    return grow.call(this, pages);
  };
  return { bytes: () => bytes };
}

function openContent(content: ToProber['content']): {
  chunk(length: number, offset: number): Uint8Array;
  close(): void;
} {
  if (typeof content !== 'string')
    return { chunk: (length, offset) => content.subarray(offset, offset + length), close: () => {} };
  const handle = openSync(content, 'r');
  const buffer = Buffer.allocUnsafe(chunkSize);
  return {
    chunk: (length, offset) => buffer.subarray(0, readSync(handle, buffer, 0, Math.max(0, length), offset)),
    close: () => closeSync(handle),
  };
}

/** Undefined: it holds nothing that plays. */
function describe({ media }: MediaInfoResult): ProbedMedia | undefined {
  const tracks = media?.track ?? [];
  const general = tracks.find((track) => track['@type'] === 'General');
  const streams = tracks.filter((track) => track['@type'] !== 'General' && track['@type'] !== 'Menu');
  if (general === undefined || streams.length === 0) return undefined;
  return {
    seconds: general.Duration,
    streams: streams.slice(0, maxToldStreams).map(toStream),
    streamCount: streams.length,
    isCutOff: general.extra?.['IsTruncated'] === 'Yes',
  };
}

function toStream(track: Track): ProbedStream {
  const codec = (track.Format ?? '').slice(0, 40);
  if (track['@type'] === 'Video')
    return { kind: 'video', codec, width: track.Width ?? 0, height: track.Height ?? 0 };
  return { kind: track['@type'] === 'Audio' ? 'audio' : 'other', codec, width: 0, height: 0 };
}

/** Messages come from our own `ProbeThread` only. */
function parseMessage(message: unknown): ToProber {
  return message as ToProber;
}

main();
