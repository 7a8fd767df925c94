import { expect, test } from 'vitest';

import { parseConfig } from '../src/config/parse-config.ts';
import type { ConfigInput } from '../src/config/parse-config.ts';

function settings(input: Omit<ConfigInput, 'cwd'>) {
  const parsed = parseConfig({ cwd: '/srv', ...input });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  const { settings: all, warnings } = parsed.config.told;
  return { all, warnings, of: (name: string) => all.find((setting) => setting.name === name) };
}

const files = {
  dotEnv: { path: '/srv/.env', text: 'PORT=9000\nOPERATOR_TOKEN=sixteen-characters' },
  configJson: { path: '/srv/config.json', text: '{"PORT": 1, "UPLOAD_TTL_HOURS": 3, "PROT": 2}' },
};

test('each setting is told with its value, its default and where it comes from', () => {
  const { of, warnings } = settings({ env: { LOGGING_LEVEL: 'debug' }, files });
  expect(of('LOGGING_LEVEL')).toMatchObject({ value: 'debug', default: 'INFO', source: 'environment' });
  expect(of('PORT')).toMatchObject({ value: '9000', default: '8000', source: 'file', section: 'server' });
  expect(of('UPLOAD_TTL_HOURS')).toMatchObject({ value: '3', source: 'file' });
  expect(of('HOST')).toMatchObject({ value: '127.0.0.1', source: 'default', secret: false });
  expect(of('CONFIG')).toMatchObject({ value: '', source: 'default' });
  expect(warnings).toEqual([expect.stringContaining('"PROT" is unknown')]);
});

test('of a secret nothing is told but that there is one', () => {
  const env = {
    COMFYUI_SERVERS: 'a=https://user-one.example;token=token-of-a',
    WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
  };
  const told = settings({ env, files });
  for (const name of ['OPERATOR_TOKEN', 'WEBHOOK_SECRET'])
    expect(told.of(name)).toMatchObject({ value: '***', secret: true });
  // Of machines all but their tokens.
  expect(told.of('COMFYUI_SERVERS')?.value).toBe('a=https://user-one.example;token=***');
  expect(JSON.stringify(told)).not.toMatch(/sixteen-characters|token-of-a|whsec_B/);
  expect(settings({ env: {} }).of('OPERATOR_TOKEN')).toMatchObject({ value: '', secret: true });
});
