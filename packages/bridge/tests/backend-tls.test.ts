import { execFileSync } from 'node:child_process';
import { randomUUID, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

import { toPin } from '../src/comfy/backend-connector.ts';
import { createComfyClient } from '../src/comfy/comfy-client.ts';
import { fleetApi, refusalOf } from './_fleet-api.ts';
import { parseBody } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const folder = mkdtempSync(join(tmpdir(), 'bridge-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Identity {
  key: string;
  cert: string;
  pin: string;
}

/** A certificate that signs itself, for this address. Undefined where there is no openssl. */
function createIdentity(name: string, address = 'IP:127.0.0.1'): Identity | undefined {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${address}`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  try {
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  const text = readFileSync(cert, 'utf8');
  return { key: readFileSync(key, 'utf8'), cert: text, pin: toPin(new X509Certificate(text).raw) };
}

const trusted = createIdentity('trusted');
const renewed = createIdentity('renewed');
const elsewhere = createIdentity('elsewhere', 'DNS:gpu.example');
const stranger = createIdentity('stranger');

async function startTls(identity: Identity | undefined): Promise<{ url: string } & AsyncDisposable> {
  if (identity === undefined) throw new Error('no certificate');
  const server = createServer({ key: identity.key, cert: identity.cert }, (_request, response) => {
    response.end('{"exec_info":{"queue_remaining":3}}');
  });
  const sockets = new WebSocketServer({ server });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

const socketOptions = () => ({
  clientId: randomUUID(),
  deadlineMs: 2000,
  onMessage: () => {},
  onClose: () => {},
});

describe.skipIf(trusted === undefined)('a backend behind TLS', () => {
  // What NODE_EXTRA_CA_CERTS does at the start of a process.
  const before = getCACertificates('default');
  beforeAll(() => {
    const own = [trusted, renewed, elsewhere].flatMap((identity) => identity?.cert ?? []);
    setDefaultCACertificates([...before, ...own]);
  });
  afterAll(() => setDefaultCACertificates(before));

  test('is called when its certificate is trusted, with the pin of its key and without one', async () => {
    await using server = await startTls(trusted);
    for (const pin of [undefined, trusted?.pin]) {
      await using client = createComfyClient({ url: server.url, ...(pin !== undefined && { pin }) });
      await expect(client.queueRemaining()).resolves.toBe(3);
      using socket = await client.openSocket(socketOptions());
      expect(socket.isOpen).toBe(true);
    }
  });

  test('is refused when its certificate is trusted, and its key is not the pinned one', async () => {
    await using server = await startTls(renewed);
    await using client = createComfyClient({ url: server.url, pin: trusted?.pin ?? '' });
    const refused = expect.objectContaining({
      failure: 'unreachable',
      message: 'its certificate is not the pinned one',
    });
    await expect(client.queueRemaining()).rejects.toEqual(refused);
    await expect(client.openSocket(socketOptions())).rejects.toEqual(refused);
  });

  test.each([
    ['nobody trusts', stranger],
    ['is for another name', elsewhere],
  ])('is refused with a certificate that %s, pinned or not', async (_what, identity) => {
    await using server = await startTls(identity);
    const setting = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      for (const pin of [undefined, identity?.pin]) {
        await using client = createComfyClient({ url: server.url, ...(pin !== undefined && { pin }) });
        const refused = { message: expect.stringMatching(/^its certificate is not trusted \([A-Z_]+\)$/) };
        await expect(client.queueRemaining()).rejects.toMatchObject(refused);
        await expect(client.openSocket(socketOptions())).rejects.toMatchObject(refused);
      }
    } finally {
      if (setting === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = setting;
    }
  });

  test('tells operators why it is not used, keeps its pin over a new token and over a restart', async () => {
    await using server = await startTls(renewed);
    const dataDir = mkdtempSync(join(folder, 'data-'));
    const env = { JOB_STORE: 'sqlite' };
    const path = '/api/bridge/backends/lent';
    const reason = 'its certificate is not the pinned one';
    {
      await using t = await startBridge({ dataDir, env, sims: 0 });
      const pin = `sha256:${trusted?.pin}`;
      const added = await t.post('/api/bridge/backends', { url: server.url, name: 'lent', pin });
      expect(added.status).toBe(201);
      await expect.poll(() => parseBody(t.get(path))).toMatchObject({ status: 'lost', reason });
      await t.post(path, { token: 'other' }, { method: 'PATCH' });
      expect(t.bridge.fleet.find('lent')?.endpoint).toEqual({
        url: server.url,
        token: 'other',
        pin: trusted?.pin,
      });
    }
    await using t = await startBridge({ dataDir, env, sims: 0, ready: false });
    await expect.poll(() => parseBody(t.get(path))).toMatchObject({ status: 'lost', reason });
  });

  test('takes another pin at the next connection and keeps it over a restart; null is any trusted key', async () => {
    await using server = await startTls(renewed);
    const dataDir = mkdtempSync(join(folder, 'data-'));
    const options = { dataDir, env: { JOB_STORE: 'sqlite' }, sims: 0 };
    const reason = 'its certificate is not the pinned one';
    const [right, wrong] = [`sha256:${renewed?.pin}`, `sha256:${trusted?.pin}`];
    const pinned = (t: TestBridge) => t.bridge.fleet.find('lent')?.endpoint.pin;
    {
      await using t = await startBridge(options);
      const { add, change, get } = fleetApi(t);
      // It is no ComfyUI but for its queue, so it is not used; only why not tells of the certificate.
      const why = async () => (await get('lent'))['reason'];
      await add({ url: server.url, name: 'lent', pin: wrong, token: 'kept' });
      await expect.poll(why).toBe(reason);
      await change('lent', { pin: right });
      await expect.poll(why).not.toBe(reason);
      await change('lent', { pin: wrong });
      await expect.poll(why).toBe(reason);
      await change('lent', { pin: null });
      await expect.poll(why).not.toBe(reason);
      await change('lent', { weight: 2 });
      expect(t.bridge.fleet.find('lent')?.endpoint).toEqual({ url: server.url, token: 'kept' });
    }
    {
      await using t = await startBridge({ ...options, ready: false });
      expect(pinned(t)).toBeUndefined();
      await fleetApi(t).change('lent', { pin: right, token: null });
      expect(t.bridge.fleet.find('lent')?.endpoint).toEqual({ url: server.url, pin: renewed?.pin });
    }
    await using t = await startBridge({ ...options, ready: false });
    expect(pinned(t)).toBe(renewed?.pin);
  });
});

test('a pin is refused where nothing could be compared with it, and for what the configuration names', async () => {
  await using t = await startBridge();
  const { add, send } = fleetApi(t);
  const pin = `sha256:${Buffer.alloc(32, 7).toString('base64')}`;
  await add({ url: 'a:1', name: 'plain' });
  await add({ url: 'https://a:2', name: 'tls' });
  const refuse = (name: string, body: unknown, status: number, code: string) =>
    send('PATCH', `/${name}`, body).then((answer) => refusalOf(answer, status, code));
  expect(await refuse('plain', { pin, weight: 9 }, 400, 'bad_request')).toContain('only with https://');
  expect(await refuse('tls', { pin: 'sha256:short' }, 400, 'bad_request')).toContain('a pin of sha256:');
  for (const value of [pin, null])
    expect(await refuse('backend-1', { pin: value, weight: 9 }, 409, 'conflict')).toContain(
      'COMFYUI_SERVERS',
    );
  expect(t.bridge.fleet.backends.map(({ settings }) => settings.weight)).toEqual([1, 1, 1]);
});
