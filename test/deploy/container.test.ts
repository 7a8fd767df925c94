import { join, normalize } from 'node:path';

import { expect, test } from 'vitest';

import { isKnownVariable, isThere, read, readVariables, stopSeconds, toConfig } from './_deployed.ts';

const file = 'deploy/docker/Dockerfile';
/** The instructions, each on one line. */
const instructions = read(file)
  .replaceAll(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line));
const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));

function copies() {
  return instructions
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .map((line) => line.split(' ').filter((word) => word !== 'COPY' && !word.startsWith('--')));
}

/** Whether a path reaches the build, by `.dockerignore`: the last rule that matches counts. */
function isSent(path: string): boolean {
  let isIgnored = false;
  for (const rule of read('.dockerignore').split('\n')) {
    if (rule === '' || rule.startsWith('#')) continue;
    const pattern = rule.replace(/^!/, '').replaceAll('.', '\\.');
    const regex = pattern.replace(/^\*\*\//, '(?:.*/)?').replaceAll(/(?<!\.)\*/g, '[^/]*');
    if (new RegExp(`^${regex}(?:/.*)?$`).test(path)) isIgnored = !rule.startsWith('!');
  }
  return !isIgnored;
}

test('what the Dockerfile copies is there, and .dockerignore lets it through', () => {
  const sources = copies().flatMap((words) => words.slice(0, -1));
  expect(sources).toContain('packages/bridge');
  for (const source of sources)
    expect([source, isThere(source), isSent(source)]).toEqual([source, true, true]);
});

test('nothing that is built, tested or secret is sent to a build', () => {
  for (const path of [
    ...[
      'packages/bridge/node_modules',
      'packages/bridge/dist/main.mjs',
      'packages/bridge/tests/upload.test.ts',
    ],
    ...[
      '.env',
      'workflows/.env',
      'data/bridge.sqlite',
      '.git/config',
      'deploy/docker/secrets/operator_token',
    ],
  ])
    expect([path, isSent(path)]).toEqual([path, false]);
});

test('the build has the Node and the pnpm of the repository', () => {
  const { dependencies } = JSON.parse(read('toolchain/package.json'));
  const bases = instructions.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1]);
  expect(bases).toEqual(bases.map(() => `node:${dependencies.node}-bookworm-slim`));
  expect(read(file)).toContain(`pnpm@${dependencies.pnpm}`);
  expect(JSON.parse(read('package.json')).packageManager).toBe(`pnpm@${dependencies.pnpm}`);
});

test('the manifest of every package that the bridge names is copied before the install', () => {
  const { dependencies, devDependencies } = JSON.parse(read('packages/bridge/package.json'));
  const own = Object.keys({ ...dependencies, ...devDependencies }).filter((name) =>
    name.startsWith('@comfy-bridge/'),
  );
  const install = instructions.findIndex((line) => line.includes('pnpm install'));
  const before = instructions.slice(0, install).join('\n');
  for (const name of ['bridge', ...own.map((name) => name.replace('@comfy-bridge/', ''))])
    expect(before, name).toContain(`COPY packages/${name}/package.json packages/${name}/`);
});

test('the image runs what the build makes, as nobody in particular, and tells how it is', () => {
  const { bin } = JSON.parse(read('packages/bridge/package.json'));
  const program = join('/app/packages/bridge', bin['comfy-bridge']);
  expect(read('deploy/docker/comfy-bridge')).toContain(`exec node ${program} "$@"`);
  expect(last).toContain('ENTRYPOINT ["/app/comfy-bridge"]');
  expect(last.find((line) => line.startsWith('USER '))).toMatch(/^USER [1-9]\d*:[1-9]\d*$/);
  expect(last.find((line) => line.startsWith('HEALTHCHECK '))).toContain('"/app/healthcheck.mjs"');
  expect(copies().flat()).toContain('deploy/docker/healthcheck.mjs');
});

test('the environment of the image is one that the bridge takes', () => {
  const words = last.filter((line) => line.startsWith('ENV ')).flatMap((line) => line.split(' ').slice(1));
  const env = readVariables(words);
  expect(Object.keys(env).filter((name) => !isKnownVariable(name))).toEqual([]);
  const config = toConfig(env);
  for (const folder of [config.files.dataDir, config.workflows.dir])
    expect(last.find((line) => line.startsWith('VOLUME '))).toContain(`"${folder}"`);
  expect(last).toContain(`EXPOSE ${config.server.port}`);
});

/** A service of the compose file, as its lines. */
function service(name: string): string[] {
  const lines = read('deploy/docker/compose.yaml').split('\n');
  const start = lines.indexOf(`  ${name}:`);
  const end = lines.findIndex((line, index) => index > start && /^ {0,2}\S/.test(line));
  expect(start).toBeGreaterThan(0);
  return lines.slice(start + 1, end);
}

const valueOf = (lines: readonly string[], key: string) =>
  lines
    .map((line) => new RegExp(`^\\s*${key}:\\s*(.*)$`).exec(line)?.[1])
    .find((value) => value !== undefined);

test('each service of the compose file has no more rights than it needs, and limits', () => {
  for (const name of ['bridge', 'nginx']) {
    const lines = service(name);
    expect(lines).toContain('    read_only: true');
    expect(lines).toContain('    cap_drop: [ALL]');
    expect(lines).toContain('      - no-new-privileges:true');
    for (const key of ['pids_limit', 'mem_limit', 'cpus', 'restart'])
      expect(valueOf(lines, key), key).toBeTruthy();
  }
});

test('the settings of the compose file are ones that the bridge takes, and fit what lies beside them', () => {
  const lines = service('bridge');
  const env = readVariables(lines);
  expect(Object.keys(env).filter((name) => !isKnownVariable(name))).toEqual([]);
  const config = toConfig(env);
  expect(config.operator.keysRequired).toBe(true);
  expect(Number.parseInt(valueOf(lines, 'stop_grace_period') ?? '', 10)).toBeGreaterThan(stopSeconds(config));
  expect(read('deploy/nginx.conf')).toContain(`server ${config.server.host}:${config.server.port};`);
  const whole = read('deploy/docker/compose.yaml');
  for (const path of Object.values(env).filter((value) => value.startsWith('/run/secrets/'))) {
    const secret = path.replace('/run/secrets/', '');
    expect(lines).toContain(`      - ${secret}`);
    expect(whole).toContain(`  ${secret}:\n    file: ./secrets/${secret}`);
  }
  expect(read('.gitignore').split('\n')).toContain('deploy/docker/secrets/');
});

test('paths and ports of the compose file are there', () => {
  const [bridge, nginx] = [service('bridge'), service('nginx')];
  const folder = 'deploy/docker';
  const context = normalize(join(folder, valueOf(bridge, 'context') ?? ''));
  expect(isThere(join(context, valueOf(bridge, 'dockerfile') ?? '?'))).toBe(true);
  const [, conf = '?'] =
    nginx.map((line) => /^\s*- (\S+):\S+:ro$/.exec(line)).find((match) => match !== null) ?? [];
  expect(normalize(join(folder, conf))).toBe('deploy/nginx.conf');
  const [, port] = /^\s*listen (\d+);/m.exec(read('deploy/nginx.conf')) ?? [];
  expect(bridge.join('\n')).toMatch(new RegExp(`- '\\d+:${port}'`));
  const volumes = bridge.flatMap((line) => /^\s*- \w+:(\/\w+)$/.exec(line)?.[1] ?? []);
  expect(last.find((line) => line.startsWith('VOLUME '))).toBe(
    `VOLUME ${JSON.stringify(volumes).replace(',', ', ')}`,
  );
});
