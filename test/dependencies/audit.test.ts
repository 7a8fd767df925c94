import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** A registry that answers the question for known holes in this way. */
async function startRegistry(status: number, body: unknown) {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function audit(registry: string): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [join(root, 'scripts', 'audit.ts')], {
    cwd: root,
    env: {
      ...process.env,
      npm_config_registry: registry,
      pnpm_config_registry: registry,
      NO_PROXY: '127.0.0.1',
      no_proxy: '127.0.0.1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code]: unknown[] = await once(child, 'close');
  return { code, output: Buffer.concat(chunks).toString() };
}

function hole(severity: string) {
  return {
    express: [
      {
        id: 1,
        url: 'https://advisories.example/1',
        title: 'a hole made for a test',
        severity,
        vulnerable_versions: '<999',
        cwe: [],
        cvss: { score: 0, vectorString: null },
      },
    ],
  };
}

test('a severe hole in what is shipped fails, and is named', async () => {
  await using registry = await startRegistry(200, hole('high'));
  const { code, output } = await audit(registry.url);
  expect(output).toContain('high: express <999: a hole made for a test (https://advisories.example/1)');
  expect(code).toBe(1);
});

test('a small hole is named, and does not fail', async () => {
  await using registry = await startRegistry(200, hole('moderate'));
  const { code, output } = await audit(registry.url);
  expect(output).toContain('moderate: express');
  expect(code).toBe(0);
});

test.for([404, 405])('a registry that answers %i is told of, and fails nothing', async (status) => {
  await using registry = await startRegistry(status, {});
  const { code, output } = await audit(registry.url);
  expect(output).toContain('were not looked for');
  expect(code).toBe(0);
});

test('no known hole is no failure', async () => {
  await using registry = await startRegistry(200, {});
  const { code, output } = await audit(registry.url);
  expect(output).toContain('0 known holes');
  expect(code).toBe(0);
});
