import { v2JobSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import type { JobStore } from '../src/jobs/job-store.ts';
import { createMemoryJobStore } from '../src/jobs/memory-job-store.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const headers = { 'idempotency-key': 'one' };
const body = { inputs: { prompt: 'a cat' } };
const post = (t: TestBridge, sent: unknown = body) =>
  t.post('/api/bridge/workflows/text-to-image/jobs', sent, { headers });

/** A store that outlives its bridge, and can be made to keep nothing more: as if the process were killed at that write. */
function createKillableStore() {
  const store = createMemoryJobStore();
  const killed = { at: undefined as keyof JobStore | undefined };
  const never = () => Promise.withResolvers<never>().promise;
  const guarded: JobStore = {
    ...store,
    insert: (job) => (killed.at === 'insert' ? never() : store.insert(job)),
    writeRecords: (collection, entries, options) =>
      killed.at === 'writeRecords' && [...entries.values()].some((text) => text.includes('"id"'))
        ? never()
        : store.writeRecords(collection, entries, options),
    [Symbol.asyncDispose]: async () => {},
  };
  return { store: guarded, killed };
}

test.each([
  ['before its job was stored', 'insert', 201],
  ['after its job was stored', 'writeRecords', 200],
] as const)('a request whose process died %s is done once by its repeat', async (_when, at, status) => {
  const { store, killed } = createKillableStore();
  killed.at = at;
  {
    await using t = await startBridge({ overrides: { store } });
    const cut = new AbortController();
    const sent = t
      .post('/api/bridge/workflows/text-to-image/jobs', body, { headers, signal: cut.signal })
      .catch(() => 'cut');
    if (at === 'writeRecords') await t.nextEvent('job:queued');
    else await expect.poll(async () => (await store.generationCount()) === 0 && hasKey(store)).toBe(true);
    const under = await post(t);
    expect(under.status).toBe(409);
    cut.abort();
    expect(await sent).toBe('cut');
  }
  killed.at = undefined;
  await using t = await startBridge({ overrides: { store } });
  const answer = await post(t);
  expect(answer.status).toBe(status);
  const { id } = v2JobSchema.parse(await answer.json());
  const again = await post(t);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(v2JobSchema.parse(await again.json()).id).toBe(id);
  expect(await store.generationCount()).toBe(1);
});

async function hasKey(store: JobStore): Promise<boolean> {
  const day = Math.floor(Date.now() / 86_400_000);
  return (await store.readRecords(`idempotency-keys-${day}`)).size > 0;
}
