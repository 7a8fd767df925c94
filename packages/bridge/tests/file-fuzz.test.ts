import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';

import { checkFile } from '../src/files/check-file.ts';
import type { CheckResult } from '../src/files/check-file.ts';
import { createBufferWindow } from '../src/files/file-window.ts';
import type { ProbedMedia } from '../src/files/probe/probe-messages.ts';
import { createMediaProbe } from '../src/files/probe/media-probe.ts';
import { applyEdits } from '../src/files/strip/edits.ts';
import { planStrip } from '../src/files/strip/strip-metadata.ts';
import { policy } from './_files-fixtures.ts';
import { createFormats } from './_fuzz-seeds.ts';
import type { FuzzedFormat } from './_fuzz-seeds.ts';
import { createRandom, mutate, withRightChecksums } from './_mutate.ts';

/** Of each format. */
const cases = Number(process.env['FUZZ_CASES'] ?? 60);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Nothing small may take longer, whatever it says of itself. ms. */
const deadline = 60_000;
const atOnce = 3;

/** Why threads were lost. */
const lost = new Map<string, number>();
function countLost(error: unknown): void {
  const why = error instanceof Error ? `${error.message} (${String(error.cause)})` : String(error);
  lost.set(why, (lost.get(why) ?? 0) + 1);
}
const probe = createMediaProbe({ onLost: countLost });
afterAll(() => probe[Symbol.asyncDispose]());
const media = { ...policy.media, probe: probe.probe };
const fuzzPolicy = { ...policy, media: { maxSeconds: 14_400, codecs: new Set<string>(), ...media } };

function check(bytes: Buffer, { name }: FuzzedFormat): Promise<CheckResult> {
  const file = { content: bytes, size: bytes.length, fileName: name, declaredType: undefined };
  return checkFile(file, fuzzPolicy);
}

async function withinDeadline<T>(what: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} took more than ${deadline} ms`)), deadline);
  return await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

async function strip(bytes: Buffer, { contentType }: FuzzedFormat): Promise<Buffer | undefined> {
  const plan = await planStrip(contentType, createBufferWindow(bytes));
  return plan.ok ? applyEdits(bytes, plan.edits) : undefined;
}

async function pixelsOf(bytes: Buffer): Promise<string> {
  const { data, info } = await sharp(bytes, { pages: -1, failOn: 'none' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return `${info.width}×${info.height} ${Buffer.from(data).toString('base64')}`;
}

const streamsOf = (probed: ProbedMedia | undefined) => probed?.streams;

/** Whether it was accepted. Throws where something does not hold. */
async function examine(bytes: Buffer, format: FuzzedFormat): Promise<boolean> {
  const checked = await withinDeadline('the check', check(bytes, format));
  const stripped = await withinDeadline('stripping', strip(bytes, format));
  if (!checked.ok) {
    expect(checked.reason).not.toMatch(/undefined|\[object|\/tmp|at \w+ \(/);
    return false;
  }
  if (stripped === undefined) throw new Error('it is accepted and cannot be stripped');
  expect(await check(stripped, format)).toEqual(checked);
  if ((await strip(stripped, format))?.equals(stripped) !== true)
    throw new Error('stripping it again changes it');
  if (checked.file.kind !== 'image') {
    const look = (content: Buffer) => probe.probe(content, content.length, format.contentType);
    const [before, after] = [await look(bytes), await look(stripped)];
    expect(streamsOf(after)).toEqual(streamsOf(before));
  } else if (format.contentType !== 'image/bmp' && (await pixelsOf(stripped)) !== (await pixelsOf(bytes))) {
    throw new Error('its pixels are others');
  }
  return true;
}

/** What is really in use. MB. What was let go a moment ago is given back by and by: waits until it is little, for some turns. */
async function usedMemory(little = 0): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  let used = Infinity;
  for (let turns = 0; turns < 20 && used > little; turns++) {
    if (typeof collect === 'function') collect();
    await turn();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    used = Math.min(used, (heapUsed + external + arrayBuffers) / 1024 / 1024);
  }
  return used;
}

const formats = await createFormats();
const everything = formats.flatMap(({ seeds }) => seeds.filter(({ length }) => length < 100_000));

describe.each(formats)('files called $name (FUZZ_SEED=' + seed + ')', (format) => {
  test('as they are: the first is accepted, and all that is accepted holds', async () => {
    const accepted = [];
    for (const bytes of format.seeds) accepted.push(await examine(bytes, format));
    expect(accepted[0]).toBe(true);
  });

  test(
    'changed at random: no crash, no endless work, and what is accepted can be stripped',
    async () => {
      const before = await usedMemory();
      const tally = { accepted: 0, refused: 0 };
      let next = 0;
      async function work(): Promise<void> {
        while (next < cases) {
          const number = next++;
          const random = createRandom(seed + number * 7_919);
          const original = random.pick(format.seeds);
          const mutated = mutate(original, random, everything);
          const isPng = format.contentType === 'image/png' && random.int(3) > 0;
          const bytes = isPng ? withRightChecksums(mutated) : mutated;
          try {
            tally[(await examine(bytes, format)) ? 'accepted' : 'refused'] += 1;
          } catch (cause) {
            throw new Error(`case ${number} of ${format.name}, FUZZ_SEED=${seed}, ${bytes.length} bytes`, {
              cause,
            });
          }
        }
      }
      await Promise.all(Array.from({ length: atOnce }, work));
      if (cases > 1_000)
        process.stdout.write(
          `${format.name}: ${JSON.stringify({ ...tally, lost: Object.fromEntries(lost) })}\n`,
        );
      expect(tally.accepted + tally.refused).toBe(cases);
      expect((await usedMemory(before + 60)) - before).toBeLessThan(60);
    },
    30_000 + cases * 500,
  );
});
