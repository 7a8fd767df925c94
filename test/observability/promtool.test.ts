import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { runJob } from '../../packages/bridge/tests/_requests.ts';
import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { deployDir } from './_promql.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool) process.stderr.write('no promtool: metrics and alerts are not checked by it\n');

/** Prometheus' own judgement; empty when it has nothing to say. */
function complaints(args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', input });
  // Of metrics it tells what could be better and is content all the same; of files, what it has read.
  return status === 0 && args[1] !== 'metrics' ? '' : `${stdout}${stderr}`;
}

test.skipIf(!hasPromtool)('metrics are named and written as Prometheus wants them', async () => {
  await using t = await startBridge();
  await runJob(t, 'one');
  await t.get('/nowhere');
  const text = await (await t.get('/metrics')).text();
  expect(complaints(['check', 'metrics'], text)).toBe('');
});

test.skipIf(!hasPromtool)('the alerts and the example configuration are valid', () => {
  expect(complaints(['check', 'rules', join(deployDir, 'prometheus/alerts.yml')])).toBe('');
  expect(complaints(['check', 'config', join(deployDir, 'prometheus/prometheus.yml')])).toBe('');
});
