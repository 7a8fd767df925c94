import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { png } from './_assets.ts';
import { uploadOne } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

test.skipIf(process.platform === 'win32')(
  'what a bridge keeps is for its own user of the system alone, also below a folder that all may read',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'private-files-'));
    try {
      const dataDir = join(folder, 'data');
      await using t = await startBridge({ dataDir, env: { JOB_STORE: 'sqlite' } });
      await uploadOne(t, png);
      const entries = await readdir(dataDir, { recursive: true });
      expect(entries).toContain('bridge.sqlite');
      for (const name of [
        '',
        ...entries.filter((entry) => !/^(bridge\.lock|current_state\.json)/.test(entry)),
      ])
        expect([name, (await stat(join(dataDir, name))).mode & 0o077]).toEqual([name, 0]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
