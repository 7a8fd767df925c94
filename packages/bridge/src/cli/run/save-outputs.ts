import { randomUUID } from 'node:crypto';
import { link, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

import type { Output } from '@comfy-bridge/client';

import { CliError, exitCodes } from '../cli-error.ts';
import type { CliHost } from '../cli-host.ts';
import { codeOf } from '../../lib/disk.ts';

/** Where results go. */
export type Target =
  | { kind: 'stdout' }
  /** `shown`: as it was given on the command line. */
  | { kind: 'folder' | 'file'; path: string; shown: string };

export interface Saved {
  /** The id of the asset. */
  id: string;
  path: string;
}

/** What `-o` means: what looks like a file name with an extension, and is no folder, is a file. */
export async function readTarget(host: CliHost, given: string): Promise<Target> {
  if (given === '-') return { kind: 'stdout' };
  const path = resolve(host.filesFrom, given);
  const found = await stat(path).catch(() => undefined);
  const isFolder = found?.isDirectory() ?? (/[/\\]$/.test(given) || extname(path) === '');
  return { kind: isFolder ? 'folder' : 'file', path, shown: given };
}

/** Refuses early what would be refused at the end: a file that is there. */
export async function checkTarget(target: Target, { isForced }: { isForced: boolean }): Promise<void> {
  if (target.kind !== 'file' || isForced) return;
  const found = await stat(target.path).catch(() => undefined);
  if (found !== undefined) throw isThere(target.shown);
}

/** Saves results, in their order; several of one name are numbered. Throws a `CliError`; what was saved until then stays. */
export async function saveOutputs(
  host: CliHost,
  outputs: readonly Output[],
  { target, isForced, signal }: { target: Target; isForced: boolean; signal: AbortSignal },
): Promise<Saved[]> {
  if (target.kind === 'stdout') {
    for (const output of outputs)
      await pipeline(Readable.from(await output.stream({ signal })), host.stdout, { end: false });
    return [];
  }
  const folder = target.kind === 'folder' ? target.path : dirname(target.path);
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new CliError(exitCodes.failed, `the folder ${folder} cannot be made`, { cause });
  });
  const shownFolder = target.kind === 'folder' ? target.shown : dirname(target.shown);
  const taken = new Set<string>();
  const saved: Saved[] = [];
  for (const output of outputs) {
    const wanted = target.kind === 'folder' ? toSafeName(output.name) : basename(target.path);
    const partial = join(folder, `.${randomUUID()}.part`);
    const shown = join(shownFolder, wanted);
    try {
      await fetchTo(partial, output, signal);
      const isOnlyName = target.kind === 'file' && saved.length === 0;
      const name = await giveName(partial, { folder, wanted, taken, isForced, isOnlyName });
      if (name === undefined) throw isThere(target.shown);
      saved.push({ id: output.id, path: join(shownFolder, name) });
    } catch (error) {
      if (!isOfDisk(error)) throw error;
      throw new CliError(exitCodes.failed, `${shown} cannot be written (${codeOf(error)})`, { cause: error });
    } finally {
      await rm(partial, { force: true });
    }
  }
  return saved;
}

const tries = 3;

/** Under another name first, so that half a file never has its own. */
async function fetchTo(partial: string, output: Output, signal: AbortSignal): Promise<void> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await output.save(partial, { signal });
    } catch (error) {
      if (signal.aborted || failures >= tries || isOfDisk(error)) throw error;
      await delay(1_000, undefined, { signal });
    }
  }
}

interface Naming {
  folder: string;
  wanted: string;
  /** Given away before, in lower case: case does not tell files apart everywhere. */
  taken: Set<string>;
  isForced: boolean;
  /** No number behind it will do. */
  isOnlyName: boolean;
}

/**
 * `a.png`, or `a-2.png`, `a-3.png` where there is one: every ComfyUI counts its files by itself, so that equal names are common.
 * Undefined when only the first would do and is taken.
 */
async function giveName(partial: string, naming: Naming): Promise<string | undefined> {
  const { folder, wanted, taken, isForced, isOnlyName } = naming;
  const extension = extname(wanted);
  const stem = extension === '' ? wanted : wanted.slice(0, -extension.length);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${stem}-${number}${extension}`;
    if (taken.has(name.toLowerCase())) continue;
    const path = join(folder, name);
    if (isForced) await rename(partial, path);
    else if (!(await takeName(partial, path))) {
      if (isOnlyName) return undefined;
      continue;
    }
    taken.add(name.toLowerCase());
    return name;
  }
}

/** False when the name is taken; where a disk knows no second names, that is looked at before. */
async function takeName(partial: string, path: string): Promise<boolean> {
  try {
    await link(partial, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if ((await stat(path).catch(() => undefined)) !== undefined) return false;
    await rename(partial, path);
  }
  return true;
}

function isThere(path: string): CliError {
  return new CliError(exitCodes.failed, `${path} is there already: --force replaces it`);
}

function isOfDisk(error: unknown): boolean {
  return [
    'ENOSPC',
    'EACCES',
    'EPERM',
    'EROFS',
    'EDQUOT',
    'ENOENT',
    'ENOTDIR',
    'EISDIR',
    'ENAMETOOLONG',
  ].includes(codeOf(error));
}

/** Longest that every file system takes, bytes. */
const maxNameBytes = 200;

/**
 * A name from a ComfyUI as a file name in one folder, on every system: no folders, no control characters, nothing that Windows
 * reserves, not hidden.
 */
export function toSafeName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const plain = last
    .replaceAll(/[\p{C}<>:"|?*]/gu, '_')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '');
  const extension = extname(plain).slice(0, 20);
  let stem = extension === '' ? plain : plain.slice(0, -extname(plain).length);
  if (stem === '' || /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i.test(stem))
    stem = `result${stem === '' ? '' : `-${stem}`}`;
  return cutToBytes(stem, maxNameBytes - Buffer.byteLength(extension)) + extension;
}

/** Whole characters only. */
function cutToBytes(text: string, maxBytes: number): string {
  let cut = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    cut += character;
  }
  return cut;
}
