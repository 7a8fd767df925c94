import { setImmediate as turn } from 'node:timers/promises';

import { afterAll, expect } from 'vitest';

/** Handles that only we can have opened: a test file that leaves one behind has not closed what it started. */
const ours = new Set(['TCPServerWrap', 'TCPSocketWrap', 'PipeServerWrap']);

function leaked(): string[] {
  return process.getActiveResourcesInfo().filter((name) => ours.has(name));
}

afterAll(async () => {
  // Closing takes a few turns of the event loop; a bounded number of them, in which nothing new is started.
  const deadline = Date.now() + 2_000;
  while (leaked().length > 0 && Date.now() < deadline) await turn();
  expect(leaked(), 'sockets and servers left open by this test file').toEqual([]);
});
