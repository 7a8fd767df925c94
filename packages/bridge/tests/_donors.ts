import type { BackendDescription, BridgeJob } from '@comfy-bridge/protocol';

import { parseBody } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';

/** What operators are told of the machines, by name. */
export async function describeBackends(t: TestBridge): Promise<Record<string, BackendDescription>> {
  const backends = await parseBody<BackendDescription[]>(t.get('/api/bridge/backends'));
  return Object.fromEntries(backends.map((backend) => [backend.name, backend]));
}

export function describeJob(t: TestBridge, jobId: string): Promise<BridgeJob> {
  return parseBody<BridgeJob>(t.get(`/api/bridge/jobs/${jobId}`));
}
