import { afterEach, expect, test, vi } from 'vitest';

import { startKeyed } from './_keys.ts';
import { rawConnection } from './_requests.ts';

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  'GET /healthz HTTP/1.1',
  'HEAD /readyz HTTP/1.1',
  'POST /healthz HTTP/1.1',
  'OPTIONS /upload HTTP/1.1\r\nOrigin: http://x\r\nAccess-Control-Request-Method: POST',
])('a stranger whose body does not come is cut off, answered or not: %s', async (head) => {
  await using t = await startKeyed({ sims: 0 });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  using raw = rawConnection(t);
  raw.socket.write(`${head}\r\nHost: x\r\nContent-Length: 100000\r\n\r\nab`);
  await raw.until(/^HTTP\/1\.1 \d+ /);
  vi.advanceTimersByTime(10_000);
  expect(await raw.received).toMatch(/^HTTP\/1\.1 (200|204|401|503) /);
  vi.useRealTimers();
});
