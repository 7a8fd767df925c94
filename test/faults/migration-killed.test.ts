import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect, test } from 'vitest';

import { crashNotice } from './_crash-at.ts';
import { findFreePort } from './_free-port.ts';
import { startOwnProcess } from './_own-process.ts';
import { bridgeFile, thorough, workflowDir } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

const points = ['migration-copied', 'migration-applied', 'migration-committed'] as const;
const schemas = thorough ? ['1', '2', '3'] : ['1'];
const dumps = join(import.meta.dirname, '../../packages/bridge/tests/fixtures/schemas');

function readRows(file: string): { version: number; jobs: unknown[]; count: unknown } {
  using db = new DatabaseSync(file, { readOnly: true });
  return {
    version: Number(db.prepare('PRAGMA user_version').get()?.['user_version']),
    jobs: db.prepare('SELECT seq, id, request, state, status, finished_at FROM jobs ORDER BY seq').all(),
    count: db.prepare('SELECT value FROM counters').get()?.['value'],
  };
}

/** A data directory of an earlier version, and a bridge that is started on it. */
async function startPlace(schema: string) {
  const dataDir = await mkdtemp(join(tmpdir(), 'bridge-migration-'));
  const file = join(dataDir, 'bridge.sqlite');
  {
    using db = new DatabaseSync(file);
    db.exec(await readFile(join(dumps, `${schema}.sql`), 'utf8'));
  }
  const port = await findFreePort();
  function start(env: Record<string, string> = {}) {
    const lines: string[] = [];
    const own = startOwnProcess({
      args: ['--import', join(import.meta.dirname, '_crash-at.ts'), bridgeFile],
      cwd: dataDir,
      env: {
        ...{ PORT: String(port), DATA_DIR: dataDir, WORKFLOW_DIR: workflowDir, LOG_FORMAT: 'json' },
        // The jobs are old, and shall be there afterwards; the one that ran waits for a machine that is away.
        ...{ RESULT_TTL_HOURS: '87600', COMFYUI_SERVERS: 'studio=127.0.0.1:9', GRACE_SECONDS: 'keep' },
        ...env,
      },
      onLine: (line) => lines.push(line),
    });
    return { own, lines };
  }
  return {
    dataDir,
    file,
    start,
    listens: async () =>
      (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.ok === true,
    [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }),
  };
}

test.each(schemas.flatMap((schema) => points.map((point) => ({ schema, point }))))(
  'killed at $point from schema $schema: the next start finds the old or the new database, and every job in it',
  { timeout: 60_000 },
  async ({ schema, point }) => {
    await using place = await startPlace(schema);
    const before = readRows(place.file);
    {
      const { own, lines } = place.start({ CRASH_AT: point });
      await using killed = own;
      await killed.exited;
      expect(lines).toContain(crashNotice(point));
    }
    const { version } = readRows(place.file);
    expect(version === Number(schema), `schema ${version}`).toBe(point !== 'migration-committed');

    const { own, lines } = place.start();
    await using again = own;
    await waitUntil(`it to listen: ${lines.join('\n')}`, () => place.listens(), { withinMs: 20_000 });
    await again.term();
    const after = readRows(place.file);
    expect(after.version).toBeGreaterThan(Number(schema));
    expect(after.count).toBe(before.count);
    // What had ended is as it was; what waited or ran is there still.
    const ended = (rows: unknown[]) => rows.filter((row) => JSON.stringify(row).includes('"finished_at":17'));
    expect(ended(after.jobs)).toEqual(ended(before.jobs));
    expect(ended(after.jobs)).toHaveLength(4);
    expect(after.jobs).toHaveLength(before.jobs.length);
    expect(readRows(`${place.file}.schema-${schema}`)).toEqual(before);
    expect((await readdir(place.dataDir)).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  },
);
