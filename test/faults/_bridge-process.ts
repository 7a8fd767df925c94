import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { crashNotice } from './_crash-at.ts';
import type { CrashPoint } from './_crash-at.ts';
import { findFreePort } from './_free-port.ts';
import type { StoreTrouble } from './_inside-bridge.ts';
import { startOwnProcess } from './_own-process.ts';
import type { Exit, OwnProcess } from './_own-process.ts';
import { readFigures } from './_process-figures.ts';
import type { ProcessFigures } from './_process-figures.ts';
import { bridgeFile, maxAttempts, workflowDir } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

export interface LogLine {
  level: string;
  msg: string;
  [key: string]: unknown;
}

export interface LeftFiles {
  uploads: number;
  /** Result files of jobs that wait to be fetched. */
  results: number;
  /** Result files of any other job, or of none. */
  orphans: number;
  tmp: number;
  /** Jobs in the store that have not ended. */
  unfinished: number;
}

export interface CrashWish {
  point: CrashPoint;
  count: number;
}

export interface BridgeOptions {
  /** `host:port` of each backend, or of the proxy in front of it. */
  backends: readonly string[];
  env?: Record<string, string>;
  crashAt?: CrashWish | undefined;
}

/** The bridge as a process of its own: it dies and comes back on the same port with the same data directory. */
export interface BridgeProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** Counts the starts, from 1. */
  readonly life: number;
  readonly isRunning: boolean;
  /** What it logged since the first start, the newest ten thousand lines. */
  readonly log: readonly LogLine[];
  /** Lines that are no log: warnings, crash notices, stack traces. */
  readonly complaints: readonly string[];
  readonly exited: Promise<Exit>;
  kill9(): Promise<void>;
  term(): Promise<Exit & { tookMs: number }>;
  pause(): void;
  resume(): void;
  /** Starts it (again); resolves when it listens, or has died at its crash point before. */
  start(options?: { crashAt?: CrashWish }): Promise<void>;
  wasReached(point: CrashPoint): boolean;
  figures(): Promise<ProcessFigures>;
  /** Bytes in use after a garbage collection, buffers included. Resident memory also has what the allocator keeps for later. */
  liveMemory(): Promise<number>;
  leftFiles(): Promise<LeftFiles>;
  /** Makes its store misbehave until it is told `none`. */
  troubleStore(trouble: StoreTrouble): Promise<void>;
}

const preloads = ['_crash-at.ts', '_inside-bridge.ts'].flatMap((file) => [
  '--import',
  join(import.meta.dirname, file),
]);

/** Times that suit tests: backends are looked at often, a job without a sign of life is given up soon. */
const quickly = {
  HOST: '127.0.0.1',
  LOG_FORMAT: 'json',
  LOGGING_LEVEL: 'INFO',
  PROBE_INTERVAL: '0.3',
  PROBE_TIMEOUT: '1',
  CONNECT_TIMEOUT: '1',
  MAX_ATTEMPTS: String(maxAttempts),
};

export async function startBridgeProcess({
  backends,
  env = {},
  crashAt,
}: BridgeOptions): Promise<BridgeProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bridge-faults-'));
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const log: LogLine[] = [];
  const complaints: string[] = [];
  let life = 0;
  let own: OwnProcess | undefined;

  function current(): OwnProcess {
    if (own === undefined) throw new Error('the bridge was not started');
    return own;
  }

  function onLine(line: string): void {
    const list: unknown[] = line.startsWith('{') ? log : complaints;
    list.push(line.startsWith('{') ? (JSON.parse(line) as LogLine) : line);
    if (list.length > 10_000) list.splice(0, 1000);
  }

  async function start(options: { crashAt?: CrashWish | undefined } = {}): Promise<void> {
    const wish = options.crashAt;
    life += 1;
    const started = startOwnProcess({
      args: ['--expose-gc', ...preloads, bridgeFile],
      cwd: dataDir,
      env: {
        ...quickly,
        PORT: String(port),
        DATA_DIR: dataDir,
        WORKFLOW_DIR: workflowDir,
        COMFYUI_SERVERS: backends.join(','),
        ...env,
        ...(wish !== undefined && { CRASH_AT: `${wish.point}:${wish.count}` }),
      },
      onLine,
    });
    own = started;
    await waitUntil('the bridge to listen', async () => !started.isRunning || (await answers(url)), {
      withinMs: 20_000,
    });
    if (
      !started.isRunning &&
      !complaints.some((line) => wish !== undefined && line === crashNotice(wish.point))
    ) {
      throw new Error(`the bridge did not start: ${complaints.slice(-5).join('\n')}`);
    }
  }

  const bridge: BridgeProcess = {
    url,
    port,
    dataDir,
    get life() {
      return life;
    },
    get isRunning() {
      return own?.isRunning ?? false;
    },
    log,
    complaints,
    get exited() {
      return current().exited;
    },
    kill9: () => current().kill9(),
    term: () => current().term(),
    pause: () => current().pause(),
    resume: () => current().resume(),
    start,
    wasReached: (point) => complaints.includes(crashNotice(point)),
    figures: () => readFigures(current().pid),
    async liveMemory() {
      const answer = await current().ask({ collect: true });
      const { heapUsed, external } = answer as { heapUsed: number; external: number };
      return heapUsed + external;
    },
    leftFiles: () => countLeft(dataDir),
    async troubleStore(trouble) {
      await current().ask({ trouble });
    },
    async [Symbol.asyncDispose]() {
      await own?.[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  try {
    await start({ crashAt });
  } catch (error) {
    await bridge[Symbol.asyncDispose]();
    throw error;
  }
  return bridge;
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/healthz`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(2_000),
    });
    await answer.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function countLeft(dataDir: string): Promise<LeftFiles> {
  const list = async (folder: string) =>
    (await readdir(join(dataDir, folder), { recursive: true, withFileTypes: true }).catch(() => [])).filter(
      (entry) => entry.isFile(),
    );
  const [uploads, results, tmp] = await Promise.all([list('uploads'), list('results'), list('tmp')]);
  const { unfinished, waiting } = readJobs(join(dataDir, 'bridge.sqlite'));
  const kept = results.filter(({ name }) => waiting.has(name.split('.')[0] ?? '')).length;
  return {
    uploads: uploads.length,
    results: kept,
    orphans: results.length - kept,
    tmp: tmp.length,
    unfinished: unfinished.size,
  };
}

/** Jobs that have not ended, and those whose results nobody has fetched; by what is on disk. */
function readJobs(file: string): { unfinished: Set<string>; waiting: Set<string> } {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
  try {
    const ids = (where: string) =>
      new Set(
        db
          .prepare(`SELECT id FROM jobs WHERE ${where}`)
          .all()
          .map((row) => String(row['id'])),
      );
    const unfinished = ids('finished_at IS NULL');
    const waiting = ids(`status = 'succeeded' AND json_extract(state, '$.deliveredAt') IS NULL`);
    return { unfinished, waiting: new Set([...unfinished, ...waiting]) };
  } finally {
    db.close();
  }
}
