import { apiPromptSchema } from '@comfy-bridge/protocol';
import { startSim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { readRecording, recordingNames } from '../src/comfy/_recordings.ts';
import type { ComfyMessage } from '../src/comfy/comfy-messages.ts';
import { toJobError, toJobErrorFromRejection } from '../src/comfy/describe-failure.ts';
import { parseDonorRefusal, parseDonorStatus } from '../src/comfy/donor-status.ts';
import { packObjectInfo } from '../src/comfy/pack-object-info.ts';
import { parseComfyMessage } from '../src/comfy/parse-comfy-message.ts';
import { parseNodeErrors, parsePromptRejection } from '../src/comfy/prompt-rejection.ts';
import { parsePythonJson } from '../src/comfy/python-json.ts';
import { readHistory } from '../src/comfy/read-history.ts';
import { readOutputs, selectDelivered } from '../src/comfy/read-outputs.ts';
import { readQueue } from '../src/comfy/read-queue.ts';
import { parseSystemStats, totalMemory, usableMemory, usedMemory } from '../src/comfy/system-stats.ts';
import { createProgressTracker } from '../src/comfy/track-progress.ts';
import { createRandom, mutate } from './_mutate.ts';
import type { Random } from './_mutate.ts';
import { mutateText, secretPattern } from './_mutate-json.ts';

/** Of each kind of answer. */
const cases = Number(process.env['FUZZ_CASES'] ?? 1_000);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const long = { timeout: 30_000 + cases * 20 };

const recordings = recordingNames.map(readRecording);
const prompt = apiPromptSchema.parse(recordings[0]?.prompt);

function forEachCase(check: (random: Random) => void): void {
  for (let number = 0; number < cases; number++) {
    try {
      check(createRandom(seed + number * 7_919));
    } catch (cause) {
      throw new Error(`case ${number}, FUZZ_SEED=${seed}`, { cause });
    }
  }
  if (cases > 5_000) process.stdout.write(`answers: ${cases}\n`);
}

/** Undefined for what is no JSON, which the caller of each parser has been told by then. */
function read(bytes: Buffer): unknown {
  try {
    return parsePythonJson(bytes.toString());
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return undefined;
  }
}

function expectFit(error: ReturnType<typeof toJobError>): void {
  const text = JSON.stringify(error);
  expect(text).not.toMatch(secretPattern);
  expect(text.length).toBeLessThan(3_000);
  expect(error.message).not.toBe('');
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

test(
  `a socket's frames, changed, are read as something, and progress only rises (FUZZ_SEED=${seed})`,
  long,
  () => {
    const binary = recordings.flatMap(({ frames }) => frames.filter((frame) => typeof frame !== 'string'));
    forEachCase((random) => {
      const recording = random.pick(recordings);
      const tracker = createProgressTracker(recording.prompt);
      let last = 0;
      for (const frame of recording.frames.slice(0, 60)) {
        const message = random.int(3) === 0 ? mutateFrame(frame, binary, random) : parseComfyMessage(frame);
        tracker.apply(message);
        const { value, step, steps } = tracker.snapshot();
        expect(isShare(value) && value >= last, message.type).toBe(true);
        for (const number of [step, steps])
          expect(number === undefined || number === null || Number.isFinite(number)).toBe(true);
        last = value;
        if (message.type === 'execution-error') expectFit(toJobError(message.error, prompt));
      }
    });
  },
);

function mutateFrame(
  frame: string | Buffer,
  others: readonly (string | Buffer)[],
  random: Random,
): ComfyMessage {
  if (typeof frame !== 'string')
    return parseComfyMessage(
      mutate(
        frame,
        random,
        others.map((other) => Buffer.from(other)),
      ),
    );
  const json: unknown = JSON.parse(frame);
  const bytes = mutateText(json, random);
  return parseComfyMessage(random.int(9) === 0 ? bytes : bytes.toString());
}

test(
  `histories, changed, are read or not, and nothing in them reaches a client (FUZZ_SEED=${seed})`,
  long,
  () => {
    forEachCase((random) => {
      const { history, promptId } = random.pick(recordings);
      const found = readHistory(read(mutateText(history, random)), promptId);
      if (found === undefined) return;
      const { files, texts } = readOutputs(found.outputs, found.meta);
      expect(Math.max(files.length, texts.length)).toBeLessThanOrEqual(1_000);
      expect(selectDelivered(files, ['9']).length).toBeLessThanOrEqual(files.length);
      if (found.error !== undefined) expectFit(toJobError(found.error, prompt));
    });
  },
);

const rejection = {
  error: {
    type: 'prompt_outputs_failed_validation',
    message: 'Prompt outputs failed validation',
    details: '',
    extra_info: {},
  },
  node_errors: {
    '3': {
      class_type: 'KSampler',
      dependent_outputs: ['9'],
      errors: [
        {
          type: 'value_smaller_than_min',
          message: 'Value -5 smaller than min of 0',
          details: 'steps',
          extra_info: { input_name: 'steps' },
        },
      ],
    },
  },
};

test(
  `refusals of a prompt, changed, become an error that is fit for a client (FUZZ_SEED=${seed})`,
  long,
  () => {
    forEachCase((random) => {
      const json = read(mutateText(rejection, random));
      const found = parsePromptRejection(json);
      if (found !== undefined) expectFit(toJobErrorFromRejection(found, prompt));
      expect(Array.isArray(parseNodeErrors(json))).toBe(true);
    });
  },
);

const paused = {
  state: 'paused',
  reason: 'owner-work',
  until: '2031-05-04T06:00:00.000Z',
  maxQueue: 2,
  version: '1',
};
const refusal = {
  error: {
    type: 'donor_paused',
    message: 'paused',
    details: '',
    extra_info: { reason: 'schedule', until: '2031-05-04T06:00:00.000Z' },
  },
};

test(`what a lent machine says, changed, is a state that we know, or none (FUZZ_SEED=${seed})`, long, () => {
  forEachCase((random) => {
    const told = parseDonorRefusal(random.pick([503, 429, 500]), read(mutateText(refusal, random)));
    const status = told?.kind === 'paused' ? told.status : parseDonorStatus(read(mutateText(paused, random)));
    if (status === undefined) return;
    expect(['available', 'paused']).toContain(status.state);
    expect([null, 'command', 'owner-work', 'schedule']).toContain(status.reason);
    for (const number of [status.until, status.maxQueue])
      expect(number === null || Number.isFinite(number)).toBe(true);
    // It is told as a date.
    if (status.until !== null) expect(new Date(status.until).toISOString()).toMatch(/Z$/);
  });
});

test(
  `node lists, states and queues, changed, are read or refused (FUZZ_SEED=${seed})`,
  { timeout: 30_000 + cases * 60 },
  async () => {
    await using sim = await startSim();
    const ask = async (path: string): Promise<unknown> =>
      (await fetch(`${sim.url}${path}`, { headers: { connection: 'close' } })).json();
    const [nodes, stats, queue] = [
      await ask('/object_info'),
      await ask('/system_stats'),
      {
        queue_running: [[1, 'a', {}, {}, []]],
        queue_pending: [
          [2, 'b'],
          [1.5, 'c'],
        ],
      },
    ];
    const some = Object.entries(Object(nodes));
    forEachCase((random) => {
      const few = Object.fromEntries(Array.from({ length: 1 + random.int(4) }, () => random.pick(some)));
      const packed = packObjectInfo(mutateText(few, random));
      if (packed.ok) expect(packed.offer.classes.length).toBeGreaterThan(0);
      else expect(packed.problem).not.toMatch(secretPattern);
      const read1 = parseSystemStats(read(mutateText(stats, random)));
      if (read1 !== undefined)
        for (const bytes of [totalMemory(read1), usableMemory(read1), usedMemory(read1)])
          expect(bytes >= 0 && Number.isSafeInteger(bytes)).toBe(true);
      const lines = readQueue(read(mutateText(queue, random)));
      for (const id of [...(lines?.running ?? []), ...(lines?.pending ?? [])])
        expect(typeof id).toBe('string');
    });
  },
);
