import { sharedResultsSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { bearer, createKey, startKeyed } from './_keys.ts';
import { readJob, send } from './_named.ts';
import { parseBody } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

async function linked(t: TestBridge, headers: Record<string, string>) {
  const { id, outputs } = await readJob(
    send(t, {}, { headers: { ...headers, prefer: 'wait=20', accept: 'application/json' } }),
    200,
  );
  const { token } = await parseBody<{ token: string }>(
    t.post(`/api/bridge/jobs/${id}/links`, {}, { headers }),
  );
  const shared = sharedResultsSchema.parse(await parseBody(t.get(`/api/bridge/links/${token}`)));
  return [
    [shared.outputs[0]?.url ?? '', {}],
    [`/api/bridge/jobs/${id}/results/0`, headers],
    [new URL(outputs[0]?.url ?? '').pathname, headers],
  ] as const;
}

/** What a browser must be told to show a picture, film or sound within a page of the same origin, and to do nothing else with it. */
test.each([true, false])('results can be shown in the page of the bridge itself (keys: %s)', async (keys) => {
  await using t = keys
    ? await startKeyed()
    : await startBridge({ sim: { mode: 'free', runMs: 0 }, env: { KEYS: 'off' } });
  const mine = keys ? bearer((await createKey(t)).key) : {};
  for (const [path, headers] of await linked(t, mine)) {
    // As <img>, <video> and <audio> ask for it: without a key, or by fetch with one.
    const answer = await t.get(path, { headers: { ...headers, 'sec-fetch-site': 'same-origin' } });
    await answer.arrayBuffer();
    expect(answer.status, path).toBe(200);
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('accept-ranges')).toBe('bytes');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    expect(answer.headers.get('cross-origin-resource-policy')).toBe(keys ? 'same-origin' : null);
  }
});
