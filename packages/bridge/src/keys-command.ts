import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { newKeySchema } from '@comfy-bridge/protocol';

import { stateOf } from './access/api-key.ts';
import type { KnownKey } from './access/api-key.ts';
import { auditCollection, toEntry } from './access/audit.ts';
import { createKeyBook } from './access/key-book.ts';
import type { KeyBook } from './access/key-book.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import { describeKey } from './http/answers/describe-key.ts';
import { openRecordsFile } from './jobs/sqlite/records-file.ts';
import type { RecordsFile } from './jobs/sqlite/records-file.ts';

export interface Output {
  /** What a script takes: the key, or the list. */
  stdout: { write(text: string): unknown };
  /** What people read. */
  stderr: { write(text: string): unknown };
}

/** The text of `keys --help`. */
export const keysUsage = `usage: comfy-bridge keys create --name <name> [--role client|author|operator] [--expires 90d] [--workflows a,b*]
           [--requests-per-minute n] [--unfinished-jobs n] [--stored-mb n] [--upload-mb n] [--json]
       comfy-bridge keys list [--json]
       comfy-bridge keys rotate <id> [--overlap 1h] [--json]
       comfy-bridge keys revoke <id>
`;

const text = { type: 'string' } as const;
const flags = {
  ...{ name: text, role: text, expires: text, workflows: text, overlap: text },
  ...{ 'requests-per-minute': text, 'unfinished-jobs': text, 'stored-mb': text, 'upload-mb': text },
  json: { type: 'boolean' },
} as const;

type Flags = { [K in Exclude<keyof typeof flags, 'json'>]?: string | undefined } & { json?: boolean };

/** `comfy-bridge keys …`: on the data directory of the settings, whether a bridge runs there or not. The exit code. */
export async function runKeysCommand(
  args: readonly string[],
  { files, jobs }: Pick<BridgeConfig, 'files' | 'jobs'>,
  output: Output,
  now: () => number = Date.now,
): Promise<number> {
  try {
    const parsed = parseArgs({ args: [...args], options: flags, allowPositionals: true, strict: true });
    const [action, id, ...rest] = parsed.positionals;
    if (action === undefined || rest.length > 0) throw new Error(keysUsage);
    if (jobs.store === 'memory')
      throw new Error(
        'JOB_STORE=memory keeps nothing on disk: take sqlite, or create keys over HTTP, with OPERATOR_TOKEN',
      );
    using records = openRecordsFile(join(files.dataDir, 'bridge.sqlite'));
    const book = createKeyBook({ records, now });
    const tools = { book, output, now, audit: auditInto(records, now) };
    await run(tools, { action, id, values: parsed.values });
    if (action !== 'list' && records.isBridgeRunning)
      output.stderr.write('The bridge that runs takes it up within two seconds.\n');
    return 0;
  } catch (error) {
    output.stderr.write(`${error instanceof Error ? error.message.trimEnd() : String(error)}\n`);
    return 1;
  }
}

interface Tools {
  book: KeyBook;
  /** Writes down what was done to which key. */
  audit(action: string, id: string): Promise<void>;
  output: Output;
  now: () => number;
}

async function run(
  { book, output, now, audit }: Tools,
  { action, id, values }: { action: string; id: string | undefined; values: Flags },
): Promise<void> {
  if (action === 'list') {
    const known = await book.read();
    if (values.json === true) printJson({ keys: known.map((one) => describeKey(one, now())) });
    else for (const one of known) output.stdout.write(`${toLine(one, now())}\n`);
    return;
  }
  if (action === 'create') {
    const { expires_in, ...wanted } = readWanted(values);
    const { known, token } = await book.create({
      ...wanted,
      createdBy: 'command',
      expiresAt: expires_in === undefined ? null : now() + expires_in * 1000,
    });
    await audit('createKey', known.key.id);
    output.stderr.write(`Key ${known.key.id} for ${known.key.name}. It is shown this one time:\n`);
    printToken(known, token);
    return;
  }
  if (id === undefined) throw new Error(keysUsage);
  if (action === 'revoke') {
    if ((await book.revoke(id)) === undefined) throw new Error(`there is no key ${id}: see keys list`);
    await audit('revokeKey', id);
    output.stderr.write(`Key ${id} is revoked.\n`);
    return;
  }
  if (action !== 'rotate') throw new Error(keysUsage);
  const rotated = await book.rotate(id, { overlapMs: readSpan(values.overlap ?? '0s', '--overlap') * 1000 });
  if (rotated === undefined) throw new Error(`there is no key ${id} that is not revoked: see keys list`);
  await audit('rotateKey', id);
  output.stderr.write(`Key ${id} has a new secret. It is shown this one time:\n`);
  printToken(rotated.known, rotated.token);

  function printJson(value: unknown): void {
    output.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  function printToken(known: KnownKey, token: string): void {
    if (values.json === true) printJson({ ...describeKey(known, now()), key: token });
    else output.stdout.write(`${token}\n`);
  }
}

function auditInto(records: RecordsFile, now: () => number): Tools['audit'] {
  return async (action, target) => {
    const entry = toEntry({ action, actor: 'command', address: null, target }, now());
    await records.writeRecords(auditCollection, new Map([[entry.id, JSON.stringify(entry)]]));
  };
}

function readWanted(values: Flags) {
  const megabytes = (value: string | undefined) =>
    value === undefined ? undefined : Number(value) * 2 ** 20;
  const limits = {
    requests_per_minute: toNumber(values['requests-per-minute']),
    unfinished_jobs: toNumber(values['unfinished-jobs']),
    stored_bytes: megabytes(values['stored-mb']),
    upload_bytes: megabytes(values['upload-mb']),
  };
  const parsed = newKeySchema.safeParse({
    name: values.name,
    role: values.role,
    workflows: values.workflows?.split(',').map((alias) => alias.trim()),
    expires_in: values.expires === undefined ? undefined : readSpan(values.expires, '--expires'),
    limits: Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
  });
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`${problems.join('\n')}\n${keysUsage}`);
  }
  const { name, role, expires_in, workflows = null } = parsed.data;
  const { requests_per_minute = null, unfinished_jobs = null } = parsed.data.limits ?? {};
  const { stored_bytes = null, upload_bytes = null } = parsed.data.limits ?? {};
  return {
    ...{ name, role, expires_in, workflows },
    limits: {
      requestsPerMinute: requests_per_minute,
      unfinishedJobs: unfinished_jobs,
      storedBytes: stored_bytes,
      uploadBytes: upload_bytes,
    },
  };
}

function toNumber(value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds of `90d`, `12h`, `30m`, `60s`. */
function readSpan(span: string, flag: string): number {
  const [, number, unit = ''] = /^(\d{1,9})([smhd])$/.exec(span) ?? [];
  const factor = units[unit];
  if (number === undefined || factor === undefined)
    throw new Error(`${flag} is a number with s, m, h or d, such as 90d`);
  return Number(number) * factor;
}

function toLine(known: KnownKey, now: number): string {
  const { key, lastUsedAt } = known;
  const time = (at: number | null) => (at === null ? '-' : new Date(at).toISOString());
  return [
    key.id,
    stateOf(known, now).padEnd(7),
    key.role.padEnd(8),
    `expires ${time(key.expiresAt)}`,
    `used ${time(lastUsedAt)}`,
    `workflows ${key.workflows?.join(',') ?? '*'}`,
    key.name,
  ].join('  ');
}
