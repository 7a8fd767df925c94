import { PassThrough, Readable } from 'node:stream';

import { expect, test } from 'vitest';

import { BridgeError } from '../src/errors.ts';
import { readMultipart } from '../src/files/read-multipart.ts';
import { createRandom, mutate } from './_mutate.ts';
import type { Random } from './_mutate.ts';

const cases = Number(process.env['FUZZ_CASES'] ?? 1_500);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const deadline = 5_000;

interface Seen {
  parts: { name: string | undefined; fileName: string | undefined; bytes: Buffer }[];
  refused: string | undefined;
}

/** Reads a body that comes in these chunks. Rejects with anything but a refusal, and where nothing comes of it. */
async function read(contentType: string, source: Readable): Promise<Seen> {
  const parts: Seen['parts'] = [];
  const reading = readMultipart({ contentType, stream: source, signal: undefined }, async (header, body) => {
    // In the order in which they come: an empty one may be read before the one ahead of it is.
    const part = { name: header.name, fileName: header.fileName, bytes: Buffer.alloc(0) };
    parts.push(part);
    const chunks: Buffer[] = [];
    for await (const chunk of body) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    part.bytes = Buffer.concat(chunks);
  });
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('it neither ended nor was refused')), deadline);
  try {
    await Promise.race([reading, promise]);
    return { parts, refused: undefined };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    expect(error.code).toBe('bad_request');
    return { parts, refused: error.message };
  } finally {
    clearTimeout(timer);
    source.destroy();
  }
}

function inChunks(body: Buffer, lengths: (left: number) => number): Readable {
  const stream = new PassThrough();
  for (let at = 0; at < body.length;) {
    const length = Math.max(1, lengths(body.length - at));
    stream.write(body.subarray(at, at + length));
    at += length;
  }
  stream.end();
  return stream;
}

const formData = (boundary: string) => `multipart/form-data; boundary=${boundary}`;
const disposition = 'Content-Disposition: form-data; name="a"; filename="a.txt"';
const webkit = '----WebKitFormBoundaryoo6vortfDzBsDiro';

/** Bodies that have brought down or held up parsers of busboy's family, multer or others, as they were published. */
const published: readonly (readonly [
  what: string,
  boundary: string,
  body: string,
  parts: number | 'refused',
])[] = [
  [
    'a header that begins with a blank (CVE-2022-24434)',
    webkit,
    `--${webkit}\r\n Content-Disposition: form-data; name="bildbeschreibung"\r\n\r\n\r\n--${webkit}--`,
    'refused',
  ],
  [
    'the same with a tab',
    webkit,
    `--${webkit}\r\n\tContent-Disposition: form-data; name="x"\r\n\r\n\r\n--${webkit}--`,
    'refused',
  ],
  ['a long header without a colon', 'b', `--b\r\n${'a'.repeat(80_000)}\r\n\r\nx\r\n--b--\r\n`, 'refused'],
  [
    'long blanks in a header',
    'b',
    `--b\r\n${disposition}\r\nX-A:${' '.repeat(15_000)}x\r\n\r\nx\r\n--b--\r\n`,
    1,
  ],
  [
    'thousands of headers (CVE-2026-42561)',
    'b',
    `--b\r\n${'X-A: 1\r\n'.repeat(5_000)}${disposition}\r\n\r\nx\r\n--b--\r\n`,
    'refused',
  ],
  ['a part without headers', 'b', '--b\r\n\r\nx\r\n--b--\r\n', 'refused'],
  [
    'a part whose name is empty (CVE-2025-48997)',
    'b',
    '--b\r\nContent-Disposition: form-data; name=""; filename="a.txt"\r\n\r\nx\r\n--b--\r\n',
    1,
  ],
  [
    'a part without a name',
    'b',
    '--b\r\nContent-Disposition: form-data; filename="a.txt"\r\n\r\nx\r\n--b--\r\n',
    1,
  ],
  ['an end without a last boundary', 'b', `--b\r\n${disposition}\r\n\r\nx`, 'refused'],
  [
    'a last boundary that is cut off, behind an empty file name (CVE-2025-7338)',
    '----FormBoundary',
    '------FormBoundary\r\nContent-Disposition: form-data; name="image"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n------FormBoundar',
    'refused',
  ],
  ['an end within the headers', 'b', `--b\r\nContent-Dispo`, 'refused'],
  ['an end within the boundary', 'b', `--b\r\n${disposition}\r\n\r\nx\r\n-`, 'refused'],
  ['nothing', 'b', '', 'refused'],
  ['the last boundary alone', 'b', '--b--\r\n', 0],
  [
    'a name such as __proto__',
    'b',
    '--b\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\nx\r\n--b--\r\n',
    1,
  ],
  [
    'headers called __proto__ and constructor',
    'b',
    `--b\r\n__proto__: x\r\nconstructor: y\r\n${disposition}\r\n\r\nx\r\n--b--\r\n`,
    1,
  ],
  [
    'carriage returns without end',
    'b',
    `--b\r\n${disposition}\r\n\r\n${'\r'.repeat(300_000)}\r\n--b--\r\n`,
    1,
  ],
  [
    'line ends before the first boundary (CVE-2024-53981)',
    'b',
    `${'\r\n'.repeat(50_000)}--b\r\n${disposition}\r\n\r\nx\r\n--b--\r\n`,
    1,
  ],
  [
    'beginnings of a boundary again and again',
    'b',
    `--b\r\n${disposition}\r\n\r\n${'\r\n--'.repeat(100_000)}\r\n--b--\r\n`,
    1,
  ],
  [
    'more parts than anybody sends',
    'b',
    `${`--b\r\n${disposition}\r\n\r\n\r\n`.repeat(1_100)}--b--\r\n`,
    'refused',
  ],
  [
    'something behind the end (CVE-2024-53981)',
    'b',
    `--b\r\n${disposition}\r\n\r\nx\r\n--b--\r\n${'--b\r\n'.repeat(99)}`,
    1,
  ],
  [
    'backslashes and quotes without end in a name',
    'b',
    `--b\r\nContent-Disposition: form-data; name="${'\\"'.repeat(5_000)}\r\n\r\nx\r\n--b--\r\n`,
    1,
  ],
];

test.each(published)('%s: refused or read, never more', async (_what, boundary, body, wanted) => {
  const bytes = Buffer.from(body, 'latin1');
  for (const length of [bytes.length, 1_000, 7, 1]) {
    if (bytes.length / length > 20_000) continue;
    const { parts, refused } = await read(
      formData(boundary),
      inChunks(bytes, () => length),
    );
    expect(refused === undefined ? parts.length : 'refused').toBe(wanted);
  }
  expect({}).not.toHaveProperty('x');
});

test.each([
  'multipart/form-data',
  formData('""'),
  formData('x'.repeat(71)),
  'multipart/form-data; boundary=;',
  'text/plain',
  formData('a\u0000'),
])('a Content-Type such as %j is refused or read', async (contentType) => {
  const { parts } = await read(contentType, Readable.from([Buffer.from('--b\r\n')]));
  expect(parts).toEqual([]);
});

/** A form that is fine, with bytes that look like its own parts. */
function createForm(random: Random): { boundary: string; body: Buffer; files: Buffer[] } {
  const boundary = random.pick(['b', webkit, "a'()+_,-./:=?", 'x'.repeat(70)]);
  const files: Buffer[] = [];
  const body: Buffer[] = [];
  for (let count = random.int(4); count >= 0; count--) {
    const looksLike = random.pick(['\r\n--', `\r\n--${boundary.slice(0, -1)}`, '\r\r\n\n', '--', '']);
    const bytes = Buffer.concat([
      random.bytes(random.int(90)),
      Buffer.from(looksLike),
      random.bytes(random.int(9)),
    ]);
    const isClean = !bytes.includes(`\r\n--${boundary}`);
    files.push(isClean ? bytes : Buffer.alloc(3));
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${count}"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n`;
    body.push(Buffer.from(head), files.at(-1) ?? Buffer.alloc(0), Buffer.from('\r\n'));
  }
  return { boundary, files, body: Buffer.concat([...body, Buffer.from(`--${boundary}--\r\n`)]) };
}

test(
  `forms are read byte for byte, however they are cut; changed at random, they end or are refused (FUZZ_SEED=${seed})`,
  async () => {
    let refusals = 0;
    for (let number = 0; number < cases; number++) {
      const random = createRandom(seed + number * 7_919);
      const { boundary, body, files } = createForm(random);
      const most = random.pick([1, 3, 17, 10_000]);
      const lengths = () => 1 + random.int(most);
      try {
        const whole = await read(formData(`"${boundary}"`), inChunks(body, lengths));
        expect(whole.refused).toBeUndefined();
        expect(whole.parts.map(({ bytes }) => bytes.toString('hex'))).toEqual(
          files.map((file) => file.toString('hex')),
        );
        const changed = await read(
          formData(`"${boundary}"`),
          inChunks(mutate(body, random, [body]), lengths),
        );
        if (changed.refused !== undefined) refusals += 1;
      } catch (cause) {
        throw new Error(`case ${number}, FUZZ_SEED=${seed}`, { cause });
      }
    }
    if (cases > 5_000) process.stdout.write(`forms: ${cases}, changed ones refused: ${refusals}\n`);
    expect(refusals).toBeGreaterThan(0);
  },
  30_000 + cases * 20,
);
