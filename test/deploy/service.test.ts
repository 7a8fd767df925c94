import { join } from 'node:path';

import { expect, test } from 'vitest';

import { isKnownVariable, isThere, read, readVariables, stopSeconds, toConfig } from './_deployed.ts';

const unit = read('deploy/systemd/comfy-bridge.service').split('\n');
const installed = '/opt/comfy-bridge/';

function settingOf(key: string): string {
  const line = unit.find((candidate) => candidate.startsWith(`${key}=`));
  if (line === undefined) throw new Error(`the unit has no ${key}`);
  return line.slice(key.length + 1);
}

/** What `DATA_DIR`, … are in the unit. */
function environmentOfUnit(): Record<string, string> {
  return readVariables(settingOf('Environment').split(' '));
}

function exampleLines(): string[] {
  return read('deploy/env.example').split('\n');
}

test('every program and path that the unit and its command name is in the repository', () => {
  const [program, script] = settingOf('ExecStart').split(' ');
  expect(program).toBe(`${installed}toolchain/node_modules/.bin/node`);
  expect(isThere('toolchain/node_modules/.bin/node')).toBe(true);
  const { bin } = JSON.parse(read('packages/bridge/package.json'));
  expect(script).toBe(join(installed, 'packages/bridge', bin['comfy-bridge']));
  expect(read('deploy/systemd/comfy-bridge')).toContain(`  ${program} ${script} "$@"\n`);
  const paths = unit.join('\n').match(/(?:\/opt\/comfy-bridge\/|\b)(?:deploy|docs)\/[\w./-]+/g) ?? [];
  expect(paths.length).toBeGreaterThan(3);
  for (const path of paths) expect([path, isThere(path.replace(installed, ''))]).toEqual([path, true]);
});

test('the unit stops the bridge no sooner than it stops by itself', () => {
  const config = toConfig(readVariables(exampleLines()));
  expect(Number(settingOf('TimeoutStopSec'))).toBeGreaterThan(stopSeconds(config));
});

test('the unit lets the bridge write into its state folder alone', () => {
  expect(settingOf('ProtectSystem')).toBe('strict');
  expect(settingOf('NoNewPrivileges')).toBe('yes');
  expect(unit.some((line) => line.startsWith('ReadWritePaths'))).toBe(false);
  const state = `/var/lib/${settingOf('StateDirectory')}`;
  const { files, workflows } = toConfig(environmentOfUnit());
  for (const folder of [files.dataDir, workflows.dir, settingOf('WorkingDirectory')])
    expect(folder.startsWith(state), folder).toBe(true);
});

test('the command has the user, the settings and the folders of the service', () => {
  const command = read('deploy/systemd/comfy-bridge');
  for (const key of ['User', 'Group', 'UMask', 'EnvironmentFile', 'StateDirectory', 'WorkingDirectory'])
    expect(command, key).toContain(`--property=${key}=${settingOf(key)}`);
  const { LOG_FORMAT: _, ...env } = environmentOfUnit();
  expect(command).toContain(
    `--property=Environment='${Object.entries(env)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ')}'`,
  );
});

test('the settings of the unit and of its example are ones that the bridge takes, those in comments too', () => {
  const example = readVariables(exampleLines());
  const commented = readVariables(exampleLines().map((line) => line.replace(/^#(?=[A-Z_]+=)/, '')));
  const names = Object.keys({ ...environmentOfUnit(), ...commented });
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !isKnownVariable(name))).toEqual([]);
  expect(toConfig({ ...environmentOfUnit(), ...example }).operator.keysRequired).toBe(true);
  toConfig({ ...commented, OPERATOR_TOKEN: 'x'.repeat(16) });
});

test('nginx lets through what the bridge takes, for as long as it takes', () => {
  const conf = read('deploy/nginx.conf');
  const config = toConfig({});
  expect(conf).toContain(`server ${config.server.host}:${config.server.port};`);
  const [, megabytes] = /client_max_body_size (\d+)m;/.exec(conf) ?? [];
  const { uploadMaxBytes, uploadMaxFiles, resumableMaxBytes } = config.files;
  expect(Number(megabytes) * 2 ** 20).toBeGreaterThan(uploadMaxBytes * uploadMaxFiles);
  expect(Number(megabytes) * 2 ** 20).toBeGreaterThan(resumableMaxBytes);
  for (const [, seconds] of conf.matchAll(/proxy_(?:read|send)_timeout (\d+)s;/g))
    expect(Number(seconds) * 1000).toBeGreaterThan(config.client.timeoutMs);
  for (const line of ['proxy_buffering off;', 'proxy_request_buffering off;', 'proxy_http_version 1.1;'])
    expect(conf).toContain(line);
});
