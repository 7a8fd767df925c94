import { hostname } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { acquireLock, findHolder, releaseLock } from '../src/apply/lock.ts';
import { startOf } from '../src/apply/process-life.ts';
import { createWorkSite } from '../src/apply/work-site.ts';
import { createPayload, disk, runIn } from './_cli.ts';
import { createComfy, createFolder, describeTree, writeTree } from './_tree.ts';

const now = new Date('2026-01-02T03:04:05Z');

function createStage() {
  const folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'));
  return {
    root,
    world: { payload: createPayload(join(folder.path, 'payload')) },
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}

function lockText(changes: object): string {
  return JSON.stringify({
    pid: process.pid,
    processStart: startOf(process.pid) ?? null,
    host: hostname(),
    since: now.toISOString(),
    run: '0123456789ab',
    ...changes,
  });
}

test('a second run at the same time says who is at work, and changes nothing', async () => {
  using stage = createStage();
  const site = createWorkSite(disk, stage.root);
  expect(acquireLock(site, now)).toBeUndefined();
  const before = describeTree(stage.root);
  for (const command of ['install', 'uninstall', 'upgrade']) {
    const { code, err } = await runIn(stage.world, command, stage.root);
    expect(code).toBe(1);
    expect(err).toContain(`process ${process.pid}`);
  }
  expect((await runIn(stage.world, 'doctor', stage.root)).out).toContain('is at work');
  expect(describeTree(stage.root)).toBe(before);
  releaseLock(site);
  expect(await runIn(stage.world, 'install', stage.root)).toMatchObject({ code: 0 });
});

test('a released lock leaves nothing behind', () => {
  using stage = createStage();
  const before = describeTree(stage.root);
  const site = createWorkSite(disk, stage.root);
  acquireLock(site, now);
  releaseLock(site);
  expect(describeTree(stage.root)).toBe(before);
});

test.each([
  ['a process that ended', { pid: 999_999_999 }],
  ['a process whose number was given out again', { processStart: '1' }],
  ['another machine, long ago', { host: 'elsewhere', since: '2026-01-02T02:00:00Z' }],
])('the lock of %s is taken over', async (_name, changes) => {
  using stage = createStage();
  writeTree(stage.root, { '.comfy-bridge/lock': lockText(changes) });
  expect(await runIn(stage.world, 'install', stage.root)).toMatchObject({ code: 0, err: '' });
});

test.each([
  ['another machine, just now', lockText({ host: 'elsewhere' })],
  ['nobody, just now', ''],
])('the lock of %s is respected', async (_name, text) => {
  using stage = createStage();
  writeTree(stage.root, { '.comfy-bridge/lock': text });
  const { code, err } = await runIn(
    { ...stage.world, host: { now: () => (text === '' ? new Date() : now) } },
    'install',
    stage.root,
  );
  expect(code).toBe(1);
  expect(err).toContain('If there is none, remove');
});

test('where there are no hard links the lock is made in one file', () => {
  using stage = createStage();
  const linkless = {
    ...disk,
    link: () => {
      throw Object.assign(new Error('no links here'), { code: 'EPERM', syscall: 'link' });
    },
  };
  const first = createWorkSite(linkless, stage.root);
  expect(acquireLock(first, now)).toBeUndefined();
  expect(findHolder(first, now)).toMatchObject({ pid: process.pid });
  expect(acquireLock(createWorkSite(linkless, stage.root), now)).toMatchObject({ code: 'busy' });
  releaseLock(first);
});
