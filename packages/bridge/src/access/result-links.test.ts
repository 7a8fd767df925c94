import { expect, test } from 'vitest';

import { createMemoryJobStore } from '../jobs/memory-job-store.ts';
import { createResultLinks } from './result-links.ts';

const jobId = '7f3d2c1b-9a8e-4d6f-b012-3c4d5e6f7a8b';
const expiresAt = 2_000_000_000_000;

async function makeLinks(records = createMemoryJobStore()) {
  const clock = { now: expiresAt - 10_000 };
  return { clock, records, links: await createResultLinks({ records, now: () => clock.now }) };
}

test('a link leads to its job until it is over, over restarts too', async () => {
  const { clock, records, links } = await makeLinks();
  const token = links.issue({ jobId, expiresAt });
  expect(token).toMatch(/^[\w-]{62}$/);
  expect(links.open(token)).toEqual({ jobId, expiresAt });
  expect((await makeLinks(records)).links.open(token)).toEqual({ jobId, expiresAt });
  clock.now = expiresAt;
  expect(links.open(token)).toBeUndefined();
});

test('no other bridge can make one', async () => {
  const token = (await makeLinks()).links.issue({ jobId, expiresAt });
  expect((await makeLinks()).links.open(token)).toBeUndefined();
});

test('whatever is changed of it, it is none any more', async () => {
  const { links } = await makeLinks();
  const token = links.issue({ jobId, expiresAt });
  const bytes = Buffer.from(token, 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(links.open(changed.toString('base64url')), `bit ${bit}`).toBeUndefined();
  }
  for (const other of ['', 'x', token.slice(1), `${token}A`, `${token}=`, ` ${token}`, `${token}\n`, '%'])
    expect(links.open(other)).toBeUndefined();
});

test('there is one way to write a link', async () => {
  const { links } = await makeLinks();
  const token = links.issue({ jobId, expiresAt });
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const others = [...alphabet].map((last) => `${token.slice(0, -1)}${last}`);
  expect(others.filter((other) => links.open(other) !== undefined)).toEqual([token]);
  expect(links.open(token.replaceAll('-', '+').replaceAll('_', '/'))?.jobId).toBe(
    /[-_]/.test(token) ? undefined : jobId,
  );
});
