/**
 * The official Python SDK (`comfy-sdk`), unchanged, against the bridge. Where the Python named by `PYTHON` does not have it
 * (CI installs it), the test is skipped and says so.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { makePng } from './_sdk-rig.ts';

const python = process.env['PYTHON'] ?? 'python3';
const hasSdk = spawnSync(python, ['-c', 'import comfy_sdk']).status === 0;

test.skipIf(!hasSdk)('upload, de-duplication, submit, events, result, errors (needs comfy-sdk)', async () => {
  await using t = await startBridge({ sim: { mode: 'free' } });
  const dir = await mkdtemp(join(tmpdir(), 'python-sdk-'));
  try {
    await writeFile(join(dir, 'red.png'), await makePng('#ff0000'));
    const { stdout } = await promisify(execFile)(
      python,
      [join(import.meta.dirname, 'comfy_sdk_tour.py'), join(dir, 'red.png'), dir],
      { env: { ...process.env, COMFY_BASE_URL: t.url, PYTHONDONTWRITEBYTECODE: '1' }, timeout: 60_000 },
    );
    expect(JSON.parse(stdout)).toEqual({
      created: [true, false],
      status: 'succeeded',
      last: 'StatusChange',
      outputs: 1,
      type: 'image/png',
      bytes: true,
      found: 'succeeded',
      unknown: 'invalid_workflow',
      missing: 'missing_asset',
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
