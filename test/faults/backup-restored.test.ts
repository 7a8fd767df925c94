import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { runBackupCommand } from '../../packages/bridge/src/backup/backup-command.ts';
import { runRestoreCommand } from '../../packages/bridge/src/backup/restore-command.ts';
import { parseConfig } from '../../packages/bridge/src/config/parse-config.ts';
import { startBridgeProcess } from './_bridge-process.ts';
import { createPicture } from './_picture.ts';
import { nextNumber } from './_rig.ts';
import { workflowDir } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

const commands = { backup: runBackupCommand, restore: runRestoreCommand };

async function run(name: keyof typeof commands, target: string, dataDir: string): Promise<string> {
  const parsed = parseConfig({ cwd: dataDir, env: { DATA_DIR: dataDir, WORKFLOW_DIR: workflowDir } });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  let told = '';
  const output = { stdout: { write: () => {} }, stderr: { write: (text: string) => (told += text) } };
  expect(await commands[name]([target], parsed.config, output), told).toBe(0);
  return told;
}

test(
  'backed up while it works, killed, its disk lost: restored, every job of the backup ends, results byte for byte',
  { timeout: 60_000 },
  async () => {
    const place = await mkdtemp(join(tmpdir(), 'bridge-lost-disk-'));
    try {
      await using sim = await startSim({ models: { upscale_models: ['flat_x1.pth'] } });
      await using bridge = await startBridgeProcess({
        backends: [sim.address],
        env: { BACKEND_SLOTS: '1', GRACE_SECONDS: 'keep' },
      });
      const send = async (path: string, init: RequestInit = {}) => {
        const answer = await fetch(`${bridge.url}${path}`, { ...init, headers: { connection: 'close' } });
        return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
      };
      const submit = async (clientId: string, body: object) => {
        const path = `/generate-based-workflow?clientId=${clientId}`;
        const { status, body: told } = await send(path, { method: 'POST', body: JSON.stringify(body) });
        expect(status, told.toString()).toBe(200);
      };
      const filesOf = async (clientId: string) =>
        await send(`/history?clientId=${clientId}&resType=base64`).then(({ status, body }) =>
          status === 200 ? body : undefined,
        );
      await waitUntil('it to be ready', async () => (await send('/readyz')).status === 200, {
        withinMs: 15_000,
      });

      const form = new FormData();
      const picture = createPicture(nextNumber());
      form.append('file', new Blob([Uint8Array.from(picture)], { type: 'image/png' }), 'input.png');
      const uploaded = JSON.parse((await send('/upload', { method: 'POST', body: form })).body.toString());
      await submit('done', { workflow: 'tiny' });
      await (await sim.nextPrompt()).finish({ images: 1 });
      const isDone = async () =>
        (await send('/execution-info?clientId=done')).body.toString().includes('closed');
      await waitUntil('it to be done', isDone);
      await submit('runs', { workflow: 'steps' });
      const running = await sim.nextPrompt();
      await submit('waits', { workflow: 'staged', '1/image': uploaded.file });

      const told = await run('backup', join(place, 'copy.tar'), bridge.dataDir);
      expect(told).toContain('Backed up 3 jobs (1 waiting, 1 running)');
      const original = await filesOf('done');
      expect(original).toBeDefined();
      await bridge.kill9();
      await running.finish({ images: 1 });
      await rm(bridge.dataDir, { recursive: true });

      expect(await run('restore', join(place, 'copy.tar'), bridge.dataDir)).toContain('Restored 3 jobs');
      await bridge.start();
      void sim.nextPrompt().then((prompt) => prompt.finish({ images: 1 }));
      expect(await filesOf('done')).toEqual(original);
      for (const clientId of ['runs', 'waits'])
        await waitUntil(`${clientId} to end`, async () => (await filesOf(clientId)) !== undefined, {
          withinMs: 20_000,
        });
      const staged = sim.files('input').filter((name) => name.startsWith('bridge/'));
      expect(staged.length).toBeGreaterThan(0);
      for (const name of staged)
        expect(Buffer.from(sim.readFile('input', name) ?? []).equals(picture)).toBe(true);
      expect(await readFile(join(bridge.dataDir, 'bridge.lock'))).toHaveLength(0);
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  },
);
