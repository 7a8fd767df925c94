import { crc32 } from 'node:zlib';

/** Numbers that are the same for the same seed (mulberry32). */
export interface Random {
  /** From 0 up to `below`, not included. */
  int(below: number): number;
  pick<T>(items: readonly T[]): T;
  bytes(length: number): Buffer;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b_79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  }
  const int = (below: number) => Math.floor((next() / 2 ** 32) * below);
  return {
    int,
    pick(items) {
      const item = items[int(items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(256))),
  };
}

const numbers = [
  0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

type Mutation = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

const mutations: readonly Mutation[] = [
  // A bit.
  (bytes, random) =>
    changed(bytes, random, (copy, at) => (copy[at] = (copy[at] ?? 0) ^ (1 << random.int(8)))),
  // A byte.
  (bytes, random) =>
    changed(bytes, random, (copy, at) => (copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.int(256)]))),
  // A number, as lengths and counts are written.
  (bytes, random) => changed(bytes, random, (copy, at) => writeNumber(copy, at, random)),
  // A number near the beginning, where headers are.
  (bytes, random) => changed(bytes.subarray(0), random, (copy, at) => writeNumber(copy, at % 256, random)),
  // Cut off.
  (bytes, random) => bytes.subarray(0, random.int(bytes.length)),
  // A piece less, twice, elsewhere, or of another file.
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    const times = random.pick([1, 1, 1, 40]);
    return Buffer.concat([
      bytes.subarray(0, end),
      ...Array.from({ length: times }, () => bytes.subarray(start, end)),
      bytes.subarray(end),
    ]);
  },
  (bytes, random, others) => {
    const other = random.pick(others);
    const [start, end] = range(other, random);
    const at = random.int(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), other.subarray(start, end), bytes.subarray(at)]);
  },
  // Noise, or nothing, in a place or at the end.
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    return Buffer.concat([
      bytes.subarray(0, start),
      random.pick([random.bytes(end - start), Buffer.alloc(end - start)]),
      bytes.subarray(end),
    ]);
  },
  (bytes, random) => Buffer.concat([bytes, random.bytes(random.int(64))]),
];

function changed(bytes: Buffer, random: Random, change: (copy: Buffer, at: number) => void): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) change(copy, random.int(copy.length));
  return copy;
}

function writeNumber(bytes: Buffer, at: number, random: Random): void {
  const value = random.pick(numbers);
  const width = random.pick([2, 4, 4, 8]);
  if (at + width > bytes.length) return;
  const isLittle = random.int(2) === 0;
  if (width === 8) bytes.writeBigUInt64BE(BigInt(value) << (isLittle ? 32n : 0n), at);
  else if (isLittle) bytes.writeUIntLE(value % 2 ** (8 * width), at, width);
  else bytes.writeUIntBE(value % 2 ** (8 * width), at, width);
}

function range(bytes: Buffer, random: Random): [start: number, end: number] {
  const start = random.int(bytes.length + 1);
  return [start, Math.min(bytes.length, start + 1 + random.int(random.pick([4, 32, 512])))];
}

/** One to four changes. `others`: files that pieces may come from. */
export function mutate(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let mutated = bytes;
  for (let times = 1 + random.int(4); times > 0 && mutated.length > 0; times--)
    mutated = random.pick(mutations)(mutated, random, others);
  return mutated;
}

/** Makes the checksums of a PNG right again, so that what is wrong is looked at. */
export function withRightChecksums(png: Buffer): Buffer {
  const copy = Buffer.from(png);
  for (let at = 8; at + 12 <= copy.length;) {
    const end = at + 8 + copy.readUInt32BE(at);
    if (end + 4 > copy.length) break;
    copy.writeUInt32BE(crc32(copy.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return copy;
}
