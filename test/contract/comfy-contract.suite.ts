import { describe } from 'vitest';
import { ComfyServer } from './_comfy-server.ts';
import { execution } from './execution.suite.ts';
import { files } from './files.suite.ts';
import { queue } from './queue.suite.ts';
import { restSurface } from './rest-surface.suite.ts';
import { sockets } from './sockets.suite.ts';
import { traceNodes } from './trace-nodes.suite.ts';
import { validation } from './validation.suite.ts';

export interface ComfyUnderTest {
  url: string;
  /** Whether `trace_nodes/` is installed. */
  hasTraceNodes: boolean;
}

/**
 * What the bridge relies on in a ComfyUI server. The same tests run against the simulator and, with `COMFY_URL` set,
 * against a real one: where the two differ, the simulator is wrong. The server must be idle and used by nobody else.
 */
export function comfyContract({ url, hasTraceNodes }: ComfyUnderTest): void {
  const server = new ComfyServer(url);
  describe('rest surface', () => restSurface(server));
  describe('files', () => files(server));
  describe('validation', () => validation(server));
  describe('execution', () => execution(server));
  describe('queue', () => queue(server));
  describe('sockets', () => sockets(server));
  describe.skipIf(!hasTraceNodes)('progress, previews and failures', () => traceNodes(server));
}
