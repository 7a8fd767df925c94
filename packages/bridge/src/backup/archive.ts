import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Readable, Writable } from 'node:stream';

import { codeOf } from '../lib/disk.ts';

/** The system's own `tar` writes and reads archives; the file goes through a pipe, whatever its name looks like to `tar`. The archive is new, for this user alone, and on the disk when this resolves. */
export async function packFolder(folder: string, archive: string): Promise<void> {
  await runTar(['-cf', '-', '-C', folder, '.'], (_stdin, stdout) =>
    pipeline(stdout, createWriteStream(archive, { flags: 'wx', mode: 0o600, flush: true })),
  );
}

/** Puts what an archive holds into a new folder; what of it is used is looked at afterwards. */
export async function unpackFolder(archive: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // It is checked that it can be read before anything is started.
  await (await open(archive, 'r')).close();
  await runTar(['-x', '-o', '-f', '-', '-C', folder], async (stdin, stdout) => {
    stdout.resume();
    const source = createReadStream(archive, { highWaterMark: 1024 * 1024 });
    // It may have seen the end of the archive, and be gone, before the padding behind it was written. What is missing if it was cut off
    // earlier, the manifest tells.
    await pipeline(source, stdin).catch(() => {});
  });
}

async function runTar(
  args: readonly string[],
  transfer: (stdin: Writable, stdout: Readable) => Promise<void>,
): Promise<void> {
  const tar = spawn('tar', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const complaints: string[] = [];
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (complaints.length < 20) complaints.push(text);
  });
  const ended = new Promise<void>((resolve, reject) => {
    tar.once('error', () =>
      reject(new Error('there is no program "tar" on this machine: back up into a folder instead')),
    );
    tar.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`tar failed: ${complaints.join('').trim() || `code ${code}`}`));
    });
  });
  const [end, moved] = await Promise.allSettled([ended, transfer(tar.stdin, tar.stdout)]);
  // A disk that is full tells more than tar, whose pipe broke by that; anything else, tar tells better.
  if (moved.status === 'rejected' && (end.status === 'fulfilled' || codeOf(moved.reason) === 'ENOSPC'))
    throw moved.reason;
  if (end.status === 'rejected') throw end.reason;
}
