import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { loadConfig } from '../src/config/parse-config.ts';

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'bridge-secrets-'));
});

afterEach(() => rm(cwd, { recursive: true }));

async function load(env: Record<string, string>, files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
  return loadConfig({ env, cwd });
}

test('secrets are read from the files that the environment names, before .env', async () => {
  const result = await load(
    {
      OPERATOR_TOKEN_FILE: 'token',
      WEBHOOK_SECRET_FILE: join(cwd, 'hook'),
      COMFYUI_SERVERS_FILE: 'servers',
    },
    {
      token: 'the-operators-own-token\n',
      hook: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      servers: 'studio=192.0.2.20:8188;token=SECRET\r\n',
      '.env': 'OPERATOR_TOKEN=the-token-of-the-dot-env',
    },
  );
  if (!result.ok) throw new Error(result.problems.join('\n'));
  expect(result.config.operator.token?.reveal()).toBe('the-operators-own-token');
  expect(result.config.webhooks.secret?.reveal()).toBe('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  expect(result.config.backends.servers).toMatchObject([{ name: 'studio' }]);
});

test('a file that cannot be read, a setting given twice and a wrong value are told without the secret', async () => {
  const result = await load(
    {
      OPERATOR_TOKEN_FILE: 'short',
      WEBHOOK_SECRET_FILE: 'nowhere',
      COMFYUI_SERVERS: 'none',
      COMFYUI_SERVERS_FILE: 'short',
      PORT_FILE: 'short',
    },
    { short: 'hush' },
  );
  expect(result).toMatchObject({
    ok: false,
    problems: [
      expect.stringContaining('COMFYUI_SERVERS and COMFYUI_SERVERS_FILE are both set'),
      expect.stringContaining('WEBHOOK_SECRET_FILE names nowhere, which cannot be read (ENOENT)'),
      expect.stringMatching(/^OPERATOR_TOKEN_FILE: OPERATOR_TOKEN is "\*\*\*", allowed: 16 to/),
    ],
  });
  expect(JSON.stringify(result)).not.toContain('hush');
});
