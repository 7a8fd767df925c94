import { constants, existsSync } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import type { BridgeConfig } from '../../config/bridge-config.ts';
import { isCurrent } from '../../jobs/sqlite/schema.ts';
import { codeOf } from '../../lib/disk.ts';
import { formatBytes } from '../format-values.ts';
import type { Report } from './finding.ts';

const about = 'data';
const [littleBytes, tooLittleBytes] = [2 * 1024 ** 3, 200 * 1024 ** 2];

/** The data directory and the store. Reads only: a file made by the wrong user would stand in the way of the bridge. */
export async function checkData(config: BridgeConfig, report: Report): Promise<void> {
  const { dataDir } = config.files;
  const folder = existingFolder(dataDir);
  const name = 'DATA_DIR';
  try {
    if (!(await stat(folder)).isDirectory()) throw new Error('not a folder');
    await access(folder, constants.W_OK | constants.X_OK);
    const text = folder === dataDir ? `${dataDir} can be written` : `${dataDir} will be made`;
    report({ about, name, level: 'ok', text });
  } catch {
    report({
      ...{ about, name, level: 'fail', text: `${folder} cannot be written by this user` },
      fix: 'give the user that runs the bridge the right to write there, or set another DATA_DIR',
    });
  }
  await checkSpace(folder, report);
  checkStore(config, report);
}

/** The folder itself, or the nearest above it that is there. */
function existingFolder(path: string): string {
  if (existsSync(path) || dirname(path) === path) return path;
  return existingFolder(dirname(path));
}

async function checkSpace(folder: string, report: Report): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const text = `${formatBytes(free)} are free on its disk`;
  const level = free < tooLittleBytes ? 'fail' : free < littleBytes ? 'warn' : 'ok';
  const fix = 'make room, set a lower STORAGE_QUOTA, or set DATA_DIR to a larger disk';
  report({ about, name: 'space', level, text, ...(level !== 'ok' && { fix }) });
}

function checkStore({ files, jobs, operator }: BridgeConfig, report: Report): void {
  const name = 'store';
  if (jobs.store === 'memory') {
    const fix = 'leave JOB_STORE out, unless that is meant';
    report({ about, name, level: 'warn', text: 'JOB_STORE=memory forgets all jobs at a restart', fix });
    return;
  }
  const path = join(files.dataDir, 'bridge.sqlite');
  if (!existsSync(path)) {
    report({ about, name, level: 'ok', text: 'there is none yet; the first start makes it' });
    if (operator.keysRequired) checkFirstKey(operator.token === undefined ? 0 : 1, report);
    return;
  }
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
    try {
      const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
      const isFine = isCurrent(db);
      report({
        ...{ about, name, level: isFine ? 'ok' : 'warn' },
        text: isFine ? `opens, schema ${version}` : `is of another version of the bridge (schema ${version})`,
        ...(!isFine && { fix: 'an older one is brought up to date at the next start: make a backup first' }),
      });
      if (operator.keysRequired)
        checkFirstKey(countKeys(db) + (operator.token === undefined ? 0 : 1), report);
    } finally {
      db.close();
    }
  } catch (error) {
    report({
      ...{ about, name, level: 'fail', text: `${path} cannot be opened (${codeOf(error) || String(error)})` },
      fix: 'move it away, or put a backup in its place',
    });
  }
}

function countKeys(db: DatabaseSync): number {
  const isThere = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'records'").get();
  if (isThere === undefined) return 0;
  const row = db.prepare("SELECT count(*) AS keys FROM records WHERE collection = 'keys'").get();
  return Number(row?.['keys'] ?? 0);
}

function checkFirstKey(ways: number, report: Report): void {
  if (ways > 0) return;
  report({
    ...{ about: 'keys', name: 'keys', level: 'fail', text: 'keys are required, and there is none' },
    fix: 'comfy-bridge keys create --name me --role operator, or set OPERATOR_TOKEN',
  });
}
