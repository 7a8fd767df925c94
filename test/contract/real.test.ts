import { describe, test } from 'vitest';
import { comfyContract } from './comfy-contract.suite.ts';
import { DEADLINE_MS } from './_comfy-server.ts';

const { COMFY_URL: url } = process.env;

if (url === undefined || url === '') {
  describe.skip('real ComfyUI', () => {
    test('needs COMFY_URL, the address of an idle server', () => undefined);
  });
} else {
  const answer = await fetch(`${url}/object_info/TraceStep`, { signal: AbortSignal.timeout(DEADLINE_MS) });
  const hasTraceNodes = (await answer.text()).includes('TraceStep');
  describe('real ComfyUI', { timeout: 3 * DEADLINE_MS }, () => comfyContract({ url, hasTraceNodes }));
}
