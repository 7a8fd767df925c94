import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** A machine that does something else gives figures of its own business. */
const quietBelow = 0.15;
const maxTries = 60;

/** Waits for a quiet second, a minute at the most; resolves with the share of the processor that was in use then, 0–1. */
export async function untilQuiet(): Promise<number> {
  let inUse = 1;
  for (let tries = 0; tries < maxTries && inUse >= quietBelow; tries += 1) {
    const before = readTimes();
    await delay(1_000);
    const after = readTimes();
    inUse = (after.busy - before.busy) / (after.all - before.all);
  }
  return inUse;
}

function readTimes(): { busy: number; all: number } {
  let busy = 0;
  let all = 0;
  for (const { times } of cpus()) {
    const total = times.user + times.nice + times.sys + times.idle + times.irq;
    all += total;
    busy += total - times.idle;
  }
  return { busy, all };
}
