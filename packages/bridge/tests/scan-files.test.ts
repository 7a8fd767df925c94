import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { createFileScan } from '../src/files/scan/file-scan.ts';
import type { FileScanOptions } from '../src/files/scan/file-scan.ts';
import { createLogger } from '../src/logging.ts';
import { eicar, startFakeClamd } from './_fake-clamd.ts';
import { picture, pngChunk, withPngChunks } from './_files-fixtures.ts';
import { detailOf, ended, runJob, submit, upload, uploadOne } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

const png = await picture().png().toBuffer();
const infected = withPngChunks(png, pngChunk('tEXt', Buffer.from(`a\0${eicar}`)));

function createScan(port: number, options: Partial<FileScanOptions> = {}) {
  const infectedFiles: unknown[] = [];
  const failures: unknown[] = [];
  const scan = createFileScan(
    { onInfected: (file) => infectedFiles.push(file), onUnavailable: (cause) => failures.push(cause) },
    { address: { host: '127.0.0.1', port }, required: true, retryMs: 1, ...options },
  );
  const ask = (content: Buffer | string, size = content.length) => scan({ content, size, fileName: 'a.png' });
  return { ask, infectedFiles, failures };
}

describe('clamd', () => {
  test('gets every byte, from memory and from the disk, and its word counts', async () => {
    await using clamd = await startFakeClamd();
    const folder = await mkdtemp(join(tmpdir(), 'scan-'));
    try {
      const { ask, infectedFiles } = createScan(clamd.port);
      const large = Buffer.alloc(400_000, 'clean ');
      const path = join(folder, 'file');
      await writeFile(path, large);
      expect(await ask(large)).toBeUndefined();
      expect(await ask(path, large.length)).toBeUndefined();
      expect(clamd.scanned.map((bytes) => bytes.equals(large))).toEqual([true, true]);
      expect(await ask(infected)).toBe('a virus was found in it (Eicar-Signature)');
      const size = infected.length;
      expect(infectedFiles).toEqual([{ fileName: 'a.png', size, signature: 'Eicar-Signature' }]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('that takes no more is not waited for', async () => {
    await using clamd = await startFakeClamd({ maxBytes: 100_000 });
    const reason = 'it is larger than what can be checked for viruses';
    expect(await createScan(clamd.port).ask(Buffer.alloc(3_000_000))).toBe(reason);
    expect(await createScan(clamd.port, { required: false }).ask(Buffer.alloc(3_000_000))).toBeUndefined();
  });

  test('is asked about a few files at a time', async () => {
    await using clamd = await startFakeClamd();
    const { ask } = createScan(clamd.port, { atOnce: 2 });
    await Promise.all(Array.from({ length: 12 }, () => ask(png)));
    expect(clamd.scanned).toHaveLength(12);
    expect(clamd.mostAtOnce).toBeLessThanOrEqual(2);
  });

  test.each([
    ['hangs up', (socket: { destroy(): void }) => socket.destroy()],
    ['never answers', () => {}],
    ['says something else', (socket: { end(text: string): void }) => socket.end('COMMAND READ TIMED OUT\0')],
    ['ends without an answer', (socket: { end(): void }) => socket.end()],
    ['talks without end', (socket: { write(text: string): void }) => socket.write('x'.repeat(100_000))],
  ])('that %s lets nothing through', async (_what, behave) => {
    await using clamd = await startFakeClamd({ behave });
    const { ask, failures } = createScan(clamd.port, { deadlineMs: 300 });
    await expect(ask(png)).rejects.toMatchObject({ code: 'unavailable' });
    expect(failures).toHaveLength(1);
    expect(await createScan(clamd.port, { deadlineMs: 300, required: false }).ask(png)).toBeUndefined();
  });

  test('that comes back in a moment is waited for', async () => {
    let tries = 0;
    await using clamd = await startFakeClamd({
      behave(socket) {
        tries += 1;
        if (tries < 3) socket.destroy();
        else socket.end('stream: OK\0');
      },
    });
    expect(await createScan(clamd.port).ask(png)).toBeUndefined();
  });

  test('may listen on a socket of this machine', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'scan-'));
    const path = join(folder, 'clamd.sock');
    const server = createServer((socket) => socket.on('error', () => {}).end('stream: OK\0')).listen(path);
    await once(server, 'listening');
    try {
      expect(await createScan(1, { address: { path } }).ask(png)).toBeUndefined();
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe('a bridge with clamd', () => {
  test('refuses an infected upload with the reason, says so in its log, and keeps nothing', async () => {
    await using clamd = await startFakeClamd();
    const lines: string[] = [];
    const log = createLogger({
      level: 'warn',
      format: 'json',
      destination: { write: (line) => void lines.push(line) },
    });
    await using t = await startBridge({
      sims: 0,
      env: { CLAMAV: `127.0.0.1:${clamd.port}` },
      overrides: { log },
    });
    await uploadOne(t, png);
    const answer = await upload(t, [{ bytes: infected, fileName: 'b.png' }]);
    expect(answer.status).toBe(400);
    expect(await detailOf(answer)).toBe('b.png: a virus was found in it (Eicar-Signature)');
    expect(lines.filter((line) => line.includes('an infected file was refused'))).toEqual([
      expect.stringMatching(/"fileName":"b\.png".*"signature":"Eicar-Signature"/),
    ]);
  });

  test('scans results too', async () => {
    await using clamd = await startFakeClamd();
    await using t = await startBridge({ env: { CLAMAV: `127.0.0.1:${clamd.port}` } });
    await runJob(t, 'one');
    expect(clamd.scanned).toHaveLength(1);
  });

  test('takes no file while clamd is away, unless its operator wants it so', async () => {
    const away = '127.0.0.1:1';
    await using t = await startBridge({ sims: 0, env: { CLAMAV: away } });
    const answer = await upload(t, [{ bytes: png, fileName: 'a.png' }]);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('30');
    expect(await detailOf(answer)).toMatch(/viruses at the moment: try again later/);
    await using lax = await startBridge({ sims: 0, env: { CLAMAV: away, CLAMAV_REQUIRED: 'off' } });
    await uploadOne(lax, png);
  });

  test('ends a job whose result cannot be scanned, with the reason', async () => {
    await using t = await startBridge({ env: { CLAMAV: '127.0.0.1:1' } });
    await submit(t, 'one');
    await (await t.sim.nextPrompt()).finish({ images: 1 });
    expect(await ended(t, 'one')).toMatchObject({
      state: { status: 'failed', error: { message: expect.stringMatching(/viruses/) } },
    });
  });
});
