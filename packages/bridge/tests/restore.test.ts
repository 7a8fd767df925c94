import { existsSync } from 'node:fs';
import {
  appendFile,
  copyFile,
  cp,
  mkdir,
  readFile,
  readdir,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect, test } from 'vitest';

import { openSqliteJobStore } from '../src/jobs/sqlite/job-store.ts';
import { readManifest, runCommand, temporaryPlace } from './_backups.ts';
import { newJob } from './_new-job.ts';
import { startBridge } from './_start-bridge.ts';

type Place = Awaited<ReturnType<typeof temporaryPlace>>;

/** A data directory with a finished job and one that waits, and workflows; no bridge is needed for that. */
async function makeOriginal(place: Place): Promise<void> {
  const dataDir = place.path('original');
  for (const folder of ['uploads', 'results', 'partial', 'workflow-versions/ab'])
    await mkdir(join(dataDir, folder), { recursive: true });
  await using store = await openSqliteJobStore(join(dataDir, 'bridge.sqlite'));
  const [done, waits] = [newJob(), newJob()];
  for (const job of [done, waits]) await store.insert(job);
  const results = [
    { id: 'r', index: 0, nodeId: '9', fileName: 'a.png', contentType: 'image/png', type: 'image', size: 6 },
  ] as const;
  await store.replace(done, {
    ...{ ...done, revision: 1, attempt: 1, finishedAt: 5 },
    state: { status: 'succeeded', results },
  });
  await writeFile(join(dataDir, 'results', `${done.id}.0`), 'result');
  // Of a job that is not there any more.
  await writeFile(join(dataDir, 'results', 'somebody.0'), 'orphan');
  await writeFile(join(dataDir, 'uploads', 'x.png'), 'upload');
  await writeFile(join(dataDir, 'partial', 'begun'), 'half of');
  await writeFile(join(dataDir, 'workflow-versions/ab', '00000001.json'), '{}');
  await writeFile(join(dataDir, 'current_state.json'), '{}');
  await mkdir(place.path('workflows/thumbnail'), { recursive: true });
  await writeFile(place.path('workflows/mine.json'), '{}');
  await writeFile(place.path('workflows/thumbnail/mine.png'), 'picture');
  await writeFile(place.path('aliases.json'), '[]');
}

async function makeBackup(place: Place, name = 'copy'): Promise<string> {
  if (!existsSync(place.path('original'))) await makeOriginal(place);
  const made = await runCommand('backup', [place.path(name)], {
    DATA_DIR: place.path('original'),
    WORKFLOW_DIR: place.path('workflows'),
    WORKFLOW_ALIAS: place.path('aliases.json'),
  });
  expect(made.stderr).toContain('Backed up 2 jobs (1 waiting, 0 running)');
  expect(made.stderr).not.toContain('warning');
  return place.path(name);
}

const into = (place: Place) => ({ DATA_DIR: place.path('data'), WORKFLOW_DIR: place.path('new-workflows') });

test.each(['copy', 'copy.tar'])(
  'what %s holds is put where the settings say, and nothing else',
  async (name) => {
    await using place = await temporaryPlace();
    const backup = await makeBackup(place, name);
    const settings = { ...into(place), WORKFLOW_ALIAS: place.path('new-aliases.json') };
    const restored = await runCommand('restore', [backup], settings);
    expect(restored, restored.stderr).toMatchObject({ code: 0 });
    expect(restored.stderr).toContain('the results of 1 job are older than RESULT_TTL_HOURS');
    const files = await readdir(place.path('data'), { recursive: true, withFileTypes: true });
    expect(files.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).toSorted()).toEqual([
      expect.stringMatching(/^00000000-0000-4000-8000-\d{12}\.0$/),
      '00000001.json',
      'begun',
      'bridge.lock',
      'bridge.sqlite',
      'current_state.json',
      'x.png',
    ]);
    expect(await readFile(place.path('data/uploads/x.png'), 'utf8')).toBe('upload');
    const age = async (path: string) => Math.round((await stat(place.path(path))).mtimeMs);
    expect(await age('data/uploads/x.png')).toBe(await age('original/uploads/x.png'));
    expect(await readFile(place.path('new-workflows/thumbnail/mine.png'), 'utf8')).toBe('picture');
    expect(await readFile(settings.WORKFLOW_ALIAS, 'utf8')).toBe('[]');
  },
);

test('a workflow folder that has files is left as it is', async () => {
  await using place = await temporaryPlace();
  const backup = await makeBackup(place);
  await mkdir(place.path('new-workflows'));
  await writeFile(place.path('new-workflows/other.json'), '{}');
  const restored = await runCommand('restore', [backup], into(place));
  expect(restored).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/has files and is left as it is/),
  });
  expect(await readdir(place.path('new-workflows'))).toEqual(['other.json']);
});

test('when it is wished, workflows of the backup replace those of their name, and others stay', async () => {
  await using place = await temporaryPlace();
  const backup = await makeBackup(place);
  await mkdir(place.path('new-workflows'));
  for (const name of ['other.json', 'mine.json']) await writeFile(place.path(`new-workflows/${name}`), 'old');
  expect(await runCommand('restore', ['--replace-workflows', backup], into(place))).toMatchObject({
    code: 0,
  });
  expect(await readFile(place.path('new-workflows/mine.json'), 'utf8')).toBe('{}');
  expect(await readFile(place.path('new-workflows/other.json'), 'utf8')).toBe('old');
});

test('a data directory that is in use or not empty is refused, and keeps what it has', async () => {
  await using place = await temporaryPlace();
  const backup = await makeBackup(place);
  await using t = await startBridge({ env: { JOB_STORE: 'sqlite' } });
  const running = await runCommand('restore', [backup], { DATA_DIR: t.dataDir });
  expect(running).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/a bridge runs on .*: stop it first/),
  });
  const original = { DATA_DIR: place.path('original') };
  const full = await runCommand('restore', [backup], original);
  expect(full).toMatchObject({ code: 1, stderr: expect.stringMatching(/is not empty \(bridge.sqlite/) });
  const memory = await runCommand('restore', [backup], { ...into(place), JOB_STORE: 'memory' });
  expect(memory).toMatchObject({ code: 1, stderr: expect.stringMatching(/JOB_STORE=memory/) });
});

/** What may have happened to a backup, and what is said of it. */
const damages: Record<string, [(backup: string) => Promise<unknown>, RegExp]> = {
  'a file is missing': [(backup) => rm(join(backup, 'data/uploads/x.png')), /uploads\/x\.png is missing/],
  'a file was changed': [
    (backup) => appendFile(join(backup, 'data/uploads/x.png'), '!'),
    /x\.png is not what/,
  ],
  'the database was cut': [
    (backup) => truncate(join(backup, 'data/bridge.sqlite'), 4096),
    /sqlite is not what/,
  ],
  'the manifest is gone': [(backup) => rm(join(backup, 'manifest.json')), /is no backup/],
  'a path leads out of it': [
    (backup) => change(backup, (text) => text.replace('data/uploads/x.png', 'data/../../x.png')),
    /is no backup/,
  ],
  'it is of a newer bridge': [
    (backup) => change(backup, (text) => text.replace(/"schema": \d+/, '"schema": 99')),
    /newer version of the bridge/,
  ],
};

async function change(backup: string, edit: (text: string) => string): Promise<void> {
  const path = join(backup, 'manifest.json');
  await writeFile(path, edit(await readFile(path, 'utf8')));
}

test.each(Object.entries(damages))(
  'when %s, nothing is restored, and it is said',
  async (_, [damage, reason]) => {
    await using place = await temporaryPlace();
    const backup = await makeBackup(place);
    await damage(backup);
    for (const args of [['--check', backup], [backup]]) {
      const refused = await runCommand('restore', args, into(place));
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(reason);
    }
    expect(await readdir(place.path('data'))).not.toContain('bridge.sqlite');
    // With a whole one, the same folder is taken.
    const whole = await makeBackup(place, 'again');
    expect(await runCommand('restore', [whole], into(place))).toMatchObject({ code: 0 });
  },
);

test('an archive that is cut off, and what is no archive, are refused', async () => {
  await using place = await temporaryPlace();
  const backup = await makeBackup(place, 'copy.tar');
  await copyFile(backup, place.path('cut.tar'));
  await truncate(place.path('cut.tar'), 6_000);
  await writeFile(place.path('none.tar'), 'x'.repeat(4096));
  for (const name of ['cut.tar', 'none.tar', 'not-there'])
    expect(await runCommand('restore', [place.path(name)], into(place))).toMatchObject({ code: 1 });
});

test('a backup that was moved to another place, or packed by hand, is as good', async () => {
  await using place = await temporaryPlace();
  const backup = await makeBackup(place);
  await cp(backup, place.path('moved'), { recursive: true });
  await rm(backup, { recursive: true });
  const checked = await runCommand('restore', ['--check', place.path('moved')], {});
  expect(checked).toMatchObject({ code: 0, stderr: expect.stringMatching(/is whole: \d files/) });
});

test('a data directory of an earlier version can be backed up, and is brought up to date where it is restored', async () => {
  await using place = await temporaryPlace();
  const dataDir = place.path('old');
  await mkdir(join(dataDir, 'results/00000000-0000-4000-8000-000000000003'), { recursive: true });
  for (const index of ['0', '1'])
    await writeFile(join(dataDir, 'results/00000000-0000-4000-8000-000000000003', index), 'png!');
  {
    using db = new DatabaseSync(join(dataDir, 'bridge.sqlite'));
    db.exec(await readFile(join(import.meta.dirname, 'fixtures/schemas/1.sql'), 'utf8'));
  }
  const made = await runCommand('backup', [place.path('copy')], { DATA_DIR: dataDir });
  expect(made.stderr).toMatch(/warning: 1 file that jobs name had been removed before: uploads\/cat\.png/);
  expect((await readManifest(place.path('copy'))).schema).toBe(1);
  expect(await runCommand('restore', [place.path('copy')], into(place))).toMatchObject({ code: 0 });
  await using store = await openSqliteJobStore(place.path('data/bridge.sqlite'));
  expect(await store.unfinished()).toHaveLength(2);
  expect((await readdir(place.path('data/results'))).toSorted()).toEqual([
    '00000000-0000-4000-8000-000000000003.0',
    '00000000-0000-4000-8000-000000000003.1',
  ]);
});
