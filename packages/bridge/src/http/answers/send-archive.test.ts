import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

import express from 'express';
import { expect, test } from 'vitest';

import type { FileKey } from '../../files/file-store.ts';
import { sendArchive, uniqueNames } from './send-archive.ts';

test('every file of an archive has a name of its own', () => {
  expect(uniqueNames(['a.png', 'a.png', 'A.PNG', 'a (2).png', 'b', 'b'])).toEqual([
    ...['a.png', 'a (2).png', 'A (3).PNG', 'a (2) (2).png'],
    ...['b', 'b (2)'],
  ]);
});

test('no name leads out of the folder that it is unpacked in', () => {
  expect(uniqueNames(['../x', '..\\x', '/etc/passwd', 'C:\\x', '..', '.hidden', ''])).toEqual([
    ...['__x', '__x (2)', '_etc_passwd', 'C__x', '_', '_hidden', 'result'],
  ]);
});

test('the files are let go of when the client goes away in the middle', async () => {
  const opened: Readable[] = [];
  const store = {
    stat: async (key: FileKey) => ({ key, size: 1e9, modifiedAt: new Date(0) }),
    async open() {
      const stream = new Readable({
        read() {
          this.push(Buffer.alloc(64 * 1024));
        },
      });
      opened.push(stream);
      return { stream, size: 1e9 };
    },
  };
  const failures: unknown[] = [];
  const app = express();
  app.get('/', async (asked, response) => {
    const files = ['0', '1'].map((name) => ({ key: `results/job/${name}` as const, fileName: name }));
    await sendArchive(store, { fileName: 'a.zip', files, madeAt: 0 }, asked, response).catch(
      (error: unknown) => failures.push(error),
    );
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const call = request({ port, agent: false });
  call.on('error', () => {});
  call.end();
  const [answer]: Readable[] = await once(call, 'response');
  await once(answer ?? call, 'data');
  call.destroy();
  await expect.poll(() => opened[0]?.destroyed).toBe(true);
  expect(opened).toHaveLength(1);
  expect(failures).toEqual([]);
  server.close();
});
