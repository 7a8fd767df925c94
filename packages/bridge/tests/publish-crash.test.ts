import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { BridgeError } from '../src/errors.ts';
import { createEvents } from '../src/events.ts';
import { isTemporaryName, realDisk } from '../src/lib/disk.ts';
import type { Disk } from '../src/lib/disk.ts';
import { openPublications } from '../src/workflows/catalog/publication-parts.ts';
import { createWorkflowPublisher } from '../src/workflows/catalog/publish-workflow.ts';
import type { WorkflowPublisher } from '../src/workflows/catalog/publish-workflow.ts';
import { createWorkflowCatalog } from '../src/workflows/catalog/workflow-catalog.ts';
import { graphOf } from './_publish.ts';

const log = { info() {}, warn() {}, error() {} };
const options = { by: 'me', mayReplace: () => true };
const wanted = (width: number, thumbnail: string | null) => ({
  workflow: JSON.stringify(graphOf(width)),
  description: `width ${width}`,
  thumbnail:
    thumbnail === null ? null : { base64: Buffer.from(thumbnail).toString('base64'), extension: '.png' },
});

interface Place extends AsyncDisposable {
  readonly path: string;
  /** A process of the bridge over that disk. */
  open(disk?: Disk): Promise<Process>;
}

interface Process extends AsyncDisposable {
  publisher: WorkflowPublisher;
  /** What everybody sees: description, graph and picture of each workflow. */
  look(): Promise<unknown[]>;
}

async function makePlace(): Promise<Place> {
  const path = await mkdtemp(join(tmpdir(), 'bridge-crash-'));
  return {
    path,
    async open(disk = realDisk) {
      const folder = { workflowDir: join(path, 'w'), aliasFile: join(path, 'w', 'workflow_alias.json'), log };
      const parts = await openPublications({ ...folder, directory: join(path, 'versions'), disk });
      const catalog = await createWorkflowCatalog(folder, { watch: false });
      const events = createEvents((_name, error) => {
        throw error;
      });
      const publisher = createWorkflowPublisher({ ...parts, catalog, events, now: Date.now });
      return {
        publisher,
        async look() {
          await catalog.refresh();
          return await Promise.all(
            catalog.list().map(async (workflow) => ({
              alias: workflow.alias,
              description: workflow.description,
              width: workflow.prompt['10']?.inputs['width'],
              thumbnail: Buffer.from((await catalog.readThumbnail(workflow)) ?? '', 'base64').toString(),
            })),
          );
        },
        [Symbol.asyncDispose]: () => catalog.close(),
      };
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** Counts the steps that change something, and fails from one of them on: once, or for good, as for a process that is killed. */
function failingDisk(at: number, { once, code = 'EIO' }: { once: boolean; code?: string }) {
  const state = { steps: 0 };
  function step(): void {
    state.steps += 1;
    if (once ? state.steps === at : state.steps >= at) throw Object.assign(new Error(code), { code });
  }
  const disk: Disk = {
    async write(path, content, mode) {
      try {
        step();
      } catch (error) {
        // What was written of it until then stays behind.
        await writeFile(path, String(content).slice(0, 10));
        throw error;
      }
      await realDisk.write(path, content, mode);
    },
    async rename(from, to) {
      step();
      await realDisk.rename(from, to);
    },
    async remove(path) {
      step();
      await realDisk.remove(path);
    },
    makeFolder: realDisk.makeFolder,
    async sync(folder) {
      step();
      await realDisk.sync(folder);
    },
  };
  return { disk, state };
}

const first = { alias: 'w', description: 'width 1', width: 1, thumbnail: 'one' };
const second = { alias: 'w', description: 'width 2', width: 2, thumbnail: 'two' };

const changes: [
  name: string,
  before: object[],
  after: object[],
  change: (publisher: WorkflowPublisher) => Promise<unknown>,
][] = [
  ['the first publishing', [], [first], (publisher) => publisher.publish('w', wanted(1, 'one'), options)],
  ['an update', [first], [second], (publisher) => publisher.publish('w', wanted(2, 'two'), options)],
  ['a removal', [first], [], (publisher) => publisher.remove('w', options)],
];

async function prepare(place: Place, before: object[]): Promise<void> {
  await using process = await place.open();
  if (before.length > 0) await process.publisher.publish('w', wanted(1, 'one'), options);
}

test.each(changes)(
  'killed at any step of %s, what is published is old or new',
  async (_name, before, after, change) => {
    const seen = new Set<string>();
    for (let at = 1; ; at += 1) {
      await using place = await makePlace();
      await prepare(place, before);
      const { disk, state } = failingDisk(at, { once: false });
      {
        await using killed = await place.open(disk);
        await change(killed.publisher).catch(() => {});
      }
      await using next = await place.open();
      const found = await next.look();
      expect([before, after], `killed at step ${at}`).toContainEqual(found);
      seen.add(JSON.stringify(found));
      // And it goes on from there.
      await next.publisher.publish('w', wanted(2, 'two'), options);
      expect(await next.look()).toEqual([second]);
      if (state.steps < at) break;
      expect(at).toBeLessThan(100);
    }
    expect(seen.size).toBe(2);
  },
);

test.each(changes)(
  'a step of %s that fails once leaves the old or the new, at once',
  async (_name, before, after, change) => {
    const outcomes = { refused: 0, done: 0 };
    for (let at = 1; ; at += 1) {
      await using place = await makePlace();
      await prepare(place, before);
      const { disk, state } = failingDisk(at, { once: true, code: 'ENOSPC' });
      await using process = await place.open(disk);
      const failure: unknown = await change(process.publisher).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(await process.look(), `step ${at} failed`).toEqual(failure === undefined ? after : before);
      if (failure === undefined) outcomes.done += 1;
      else {
        outcomes.refused += 1;
        expect(failure).toBeInstanceOf(BridgeError);
        expect(failure).toMatchObject({ code: 'storage_full' });
      }
      const names = await readdir(join(place.path, 'w')).catch(() => []);
      expect(names.filter(isTemporaryName).length, `step ${at} left ${names.join()}`).toBeLessThan(2);
      // The next start does not find it any different.
      await using next = await place.open();
      expect(await next.look()).toEqual(failure === undefined ? after : before);
      if (state.steps < at) break;
    }
    expect(outcomes.refused).toBeGreaterThan(3);
  },
);

test('a file that was edited by hand after a kill stays as it was edited', async () => {
  await using place = await makePlace();
  await prepare(place, [first]);
  const alias = join(place.path, 'w', 'workflow_alias.json');
  const before = await readFile(alias, 'utf8');
  for (let at = 1; ; at += 1) {
    const { disk } = failingDisk(at, { once: false });
    await using killed = await place.open(disk);
    await killed.publisher.publish('w', wanted(2, 'two'), options).catch(() => {});
    const pending = await readFile(join(place.path, 'versions', 'pending.json')).catch(() => undefined);
    if (pending !== undefined) break;
  }
  expect(await readFile(alias, 'utf8')).toBe(before);
  await writeFile(join(place.path, 'w', 'w.json'), JSON.stringify(graphOf(9)));
  await using next = await place.open();
  expect(await next.look()).toEqual([{ ...first, width: 9 }]);
  expect(await readdir(join(place.path, 'versions'))).not.toContain('pending.json');
});
