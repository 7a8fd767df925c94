import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { runProgram } from '../src/outside/run-program.ts';
import { checkSettings } from '../src/plan/check-settings.ts';

const python = process.env['PYTHON'] ?? 'python3';
const hasPython = (await runProgram(python, ['--version']))?.code === 0;

const keys = [
  ...['token', 'ownerFrom', 'schedule', 'ownerWork', 'onPause', 'resumeAfterSeconds', 'freeMemory'],
  ...['orphanSeconds', 'maxBodyMb', 'requestsPerSecond', 'maxQueue', 'keepHours', 'unknown'],
];
const values: unknown[] = [
  ...[null, true, false, 0, 1, 1.5, 0.1, 0.05, -1, 1_000, 1_001, 10_000, 65_536, 86_400, 86_401],
  ...['', 'x', 'x'.repeat(16), 'x'.repeat(513), 'a b'.repeat(9), `${'x'.repeat(16)}\n`, 'é'.repeat(16)],
  ...[
    'loopback',
    'none',
    [],
    ['10.0.0.0/8'],
    ['10.0.0.5/8'],
    ['10.0.0.1'],
    ['fd00::/8'],
    ['x'],
    ['loopback'],
    [1],
  ],
  ...['pause', 'share', 'interrupt', 'finish', '10.0.0.0/8', ['10.0.0.0/33'], ['10.0.0.0/8', 'none']],
  ...[
    '22:00-08:00',
    'Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00',
    'mon 1:00-2:00',
    '24:00-01:00',
    '08:00-08:00',
  ],
  ...[
    '8:60-9:00',
    ' ',
    'Mon-Foo 1:00-2:00',
    'Mon-Fri  22:00-08:00',
    '25:00-26:00',
    '22:00-08:00,',
    '00:00-24:01',
  ],
];

/** Asks the pack's own reader of each setting. */
const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
from donor import config
def takes(key, value):
    try:
        config._KEYS[key](key, value)
        return True
    except (KeyError, config.ConfigError):
        return False
print(json.dumps([takes(*case) for case in json.load(sys.stdin)]))
`;

function askPack(cases: readonly unknown[]): Promise<boolean[]> {
  const pack = join(import.meta.dirname, '../../comfy-extension');
  return new Promise((resolve, reject) => {
    const child = execFile(python, ['-B', '-c', program, pack], (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout));
      else reject(error);
    });
    child.stdin?.end(JSON.stringify(cases));
  });
}

// Skipped where there is no Python.
test.skipIf(!hasPython)('doctor and the pack agree on every setting', async () => {
  const cases = keys.flatMap((key) => values.map((value) => [key, value] as const));
  const pack = await askPack(cases);
  const differing = cases.filter(
    ([key, value], at) => (checkSettings({ [key]: value }).length === 0) !== pack[at],
  );
  expect(pack).toContain(true);
  expect(differing).toEqual([]);
});
