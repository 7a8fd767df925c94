import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createComfyClient } from '../src/comfy/comfy-client.ts';
import { failing, startRig, startServer } from './_comfy-rig.ts';

describe('files', () => {
  const upload = (bytes: Buffer, more: object = {}) => ({
    fileName: 'in.png',
    contentType: 'image/png',
    size: bytes.length,
    body: Readable.from([bytes]),
    subfolder: '',
    ...more,
  });

  it('are uploaded and viewed byte for byte', async () => {
    await using rig = await startRig();
    const bytes = randomBytes(3_000_000);
    expect(await rig.client.uploadInput(upload(bytes, { subfolder: 'bridge/a b' }))).toBe(
      'bridge/a b/in.png',
    );
    const file = await rig.client.view({ filename: 'in.png', subfolder: 'bridge/a b', type: 'input' });
    expect(file).toMatchObject({ contentType: 'image/png', contentLength: bytes.length });
    expect((await buffer(file.body)).equals(bytes)).toBe(true);
  });

  it('go by the name that the backend gave them', async () => {
    await using rig = await startRig();
    expect(await rig.client.uploadInput(upload(Buffer.from('one')))).toBe('in.png');
    expect(await rig.client.uploadInput(upload(Buffer.from('two')))).toBe('in (1).png');
  });

  it('cannot break out of their form', async () => {
    await using rig = await startRig();
    const name = 'a"; name="type"\r\n\r\nüx.png';
    const value = await rig.client.uploadInput(
      upload(Buffer.from('x'), { fileName: name, contentType: 'image/png\r\nX: y' }),
    );
    expect(value).toMatch(/x\.png$/);
    expect(rig.sim.files('output')).toEqual([]);
  });

  it('that are not as long as announced, or cannot be read, are our own failure', async () => {
    await using rig = await startRig();
    for (const size of [2, 4]) {
      await expect(rig.client.uploadInput({ ...upload(Buffer.from('abc')), size })).rejects.toEqual(
        failing('aborted'),
      );
    }
    const body = new Readable({ read: () => body.destroy(new Error('disk')) });
    await expect(rig.client.uploadInput({ ...upload(Buffer.from('abc')), body })).rejects.toEqual(
      failing('aborted'),
    );
    expect(rig.sim.files('input')).toEqual(['example.png']);
  });

  it('that are too large for the backend are refused with 413', async () => {
    await using rig = await startRig({ maxUploadBytes: 1000 });
    const body = Readable.from([randomBytes(5000)]);
    const refused = rig.client.uploadInput({ ...upload(randomBytes(5000)), body });
    await expect(refused).rejects.toEqual(failing('status', 413));
    expect(body.destroyed).toBe(true);
  });

  it('end when the backend takes nothing more', async () => {
    await using rig = await startRig({}, { idleTimeoutMs: 100 });
    rig.sim.hang(true);
    const body = new Readable({ read: () => body.push(Buffer.alloc(65_536)) });
    const size = 1e9;
    await expect(rig.client.uploadInput({ ...upload(Buffer.alloc(0)), size, body })).rejects.toEqual(
      failing('timeout'),
    );
    expect(body.destroyed).toBe(true);
  });

  it('that are gone are a 404', async () => {
    await using rig = await startRig();
    const gone = rig.client.view({ filename: 'gone.png', subfolder: '', type: 'output' });
    await expect(gone).rejects.toEqual(failing('status', 404));
  });

  it('stream with back-pressure: what nobody reads is not fetched', async () => {
    let sent = 0;
    await using server = await startServer((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const source = new Readable({
        read() {
          sent += chunk.length;
          this.push(sent < 300_000_000 ? chunk : null);
        },
      });
      source.pipe(response).on('close', () => source.destroy());
    });
    await using client = createComfyClient({ url: server.url });
    const { body } = await client.view({ filename: 'x', subfolder: '', type: 'output' });
    let before = -1;
    await expect.poll(() => before === (before = sent), { interval: 100 }).toBe(true);
    expect(sent).toBeLessThan(30_000_000);
    body.destroy();
  });

  it.each(['truncate', { hugeBytes: 1_000_000_000 }] as const)(
    'broken off halfway fail as a ComfyError: %j',
    async (fault) => {
      await using rig = await startRig();
      rig.sim.failNext('GET /view', fault);
      const { body } = await rig.client.view({ filename: 'example.png', subfolder: '', type: 'input' });
      if (fault !== 'truncate') body.once('data', () => rig.sim.crash());
      await expect(buffer(body)).rejects.toEqual(failing('unreachable'));
    },
  );

  it('end with the signal of the call', async () => {
    await using rig = await startRig();
    rig.sim.failNext('GET /view', { hugeBytes: 1_000_000_000 });
    const giveUp = new AbortController();
    const { body } = await rig.client.view({
      filename: 'example.png',
      subfolder: '',
      type: 'input',
      signal: giveUp.signal,
    });
    body.once('data', () => giveUp.abort());
    await expect(buffer(body)).rejects.toEqual(failing('aborted'));
  });
});
