import { expect, test } from 'vitest';

import { aJob, anAttempt, at, cameAt } from './_a-job.ts';
import { layWaterfall, placeOf } from './waterfall.ts';
import type { Lane } from './waterfall.ts';

const now = (seconds: number) => cameAt + seconds * 1000;
/** `waiting 0–1000` */
const tell = ({ segments }: Lane) =>
  segments.map(({ kind, fromMs, toMs, isOpen }) => `${kind} ${fromMs}–${toMs}${isOpen ? ' …' : ''}`);

test('a job that nobody has taken yet waits until now', () => {
  const { lanes, scaleMs } = layWaterfall(aJob(), { now: now(7) });
  expect(lanes.map(tell)).toEqual([['waiting 0–7000 …']]);
  expect(scaleMs).toBe(7000);
});

test('a job that was canceled in the line waited until then, whatever the time is', () => {
  const job = aJob({ status: 'canceled', finished: true, completed_at: at(4) });
  expect(layWaterfall(job, { now: now(900) }).lanes.map(tell)).toEqual([['waiting 0–4000']]);
});

test('waiting, handing over and running of one attempt follow each other', () => {
  const attempts = [anAttempt({ executing_at: at(3) })];
  const { lanes } = layWaterfall(aJob({ status: 'running', attempts }), { now: now(10) });
  expect(lanes.map(tell)).toEqual([['waiting 0–1000'], ['staging 1000–3000', 'executing 3000–10000 …']]);
});

test('a lost attempt is followed by waiting and by the next one', () => {
  const attempts = [
    anAttempt({ executing_at: at(2), ended_at: at(5), outcome: 'lost' }),
    anAttempt({
      number: 2,
      backend: 'b',
      started_at: at(8),
      executing_at: at(9),
      ended_at: at(12),
      outcome: 'succeeded',
    }),
  ];
  const job = aJob({ status: 'succeeded', finished: true, completed_at: at(12), attempts });
  expect(layWaterfall(job, { now: 0 }).lanes.map(tell)).toEqual([
    ['waiting 0–1000', 'waiting 5000–8000'],
    ['staging 1000–2000', 'executing 2000–5000'],
    ['staging 8000–9000', 'executing 9000–12000'],
  ]);
});

test('after a lost attempt it waits again', () => {
  const attempts = [anAttempt({ ended_at: at(5), outcome: 'lost' })];
  const [waiting] = layWaterfall(aJob({ attempts }), { now: now(9) }).lanes;
  expect(waiting && tell(waiting)).toEqual(['waiting 0–1000', 'waiting 5000–9000 …']);
});

test('the collecting of results is told where the page saw it begin', () => {
  const attempts = [anAttempt({ executing_at: at(2) })];
  const job = aJob({ status: 'running', phase: 'collecting', attempts });
  const { lanes } = layWaterfall(job, { now: now(9), collectingAt: now(6) });
  expect(lanes.slice(1).map(tell)).toEqual([
    ['staging 1000–2000', 'executing 2000–6000', 'collecting 6000–9000 …'],
  ]);
});

test('a delivery hours later does not press the work together', () => {
  const attempts = [anAttempt({ executing_at: at(2), ended_at: at(8), outcome: 'succeeded' })];
  const job = aJob({
    ...{ status: 'succeeded', finished: true, completed_at: at(8), delivered_at: at(8000), attempts },
  });
  const { lanes, scaleMs } = layWaterfall(job, { now: 0 });
  expect(lanes.slice(-1).map(tell)).toEqual([['delivery 8000–10000']]);
  expect(scaleMs).toBe(10_000);
});

test('the clock of the browser may be behind that of the bridge', () => {
  const { lanes, scaleMs } = layWaterfall(aJob(), { now: now(-30) });
  expect(lanes.map(tell)).toEqual([['waiting 0–0 …']]);
  expect(scaleMs).toBeGreaterThan(0);
});

test('a segment is never too thin to be seen, and never leaves its lane', () => {
  const segment = { kind: 'staging', isOpen: false } as const;
  expect(placeOf({ ...segment, fromMs: 0, toMs: 50 }, 100)).toEqual({ left: 0, width: 50 });
  expect(placeOf({ ...segment, fromMs: 10, toMs: 10 }, 100)).toEqual({ left: 10, width: 0.4 });
  const { left, width } = placeOf({ ...segment, fromMs: 100, toMs: 100 }, 100);
  expect(left + width).toBeCloseTo(100);
});
