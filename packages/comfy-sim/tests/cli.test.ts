import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { parseCliOptions, USAGE } from '../src/cli-options.ts';
import { startSim } from '../src/sim.ts';

const CLI = new URL('../src/cli.ts', import.meta.url).pathname;

interface Run {
  child: ChildProcess;
  /** Standard output so far, line by line. */
  lines: string[];
  errors: () => string;
  exit: Promise<number | null>;
  line: (fits: (line: string) => boolean) => Promise<string>;
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => lines.push(line));
  const exit = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null));
  const line = async (fits: (line: string) => boolean): Promise<string> => {
    for (;;) {
      const found = lines.find(fits);
      if (found !== undefined) return found;
      await once(reader, 'line');
    }
  };
  return { child, lines, errors: () => errors, exit, line };
}

test('starts so many simulators, says where, and ends on SIGTERM', async () => {
  const cli = run('--port', '0', '--count', '2', '--run-ms', '0', '--json');
  const { urls } = JSON.parse(await cli.line((line) => line.startsWith('{'))) as { urls: string[] };
  expect(cli.lines.slice(0, 2)).toEqual(
    urls.map((url, at) => `simulated ComfyUI ${at + 1} on ${url} (pictures are simulated)`),
  );
  for (const url of urls) expect((await fetch(`${url}/queue`)).status).toBe(200);
  cli.child.kill('SIGTERM');
  expect(await cli.exit).toBe(0);
});

test('ends with its parent when asked to', async () => {
  const cli = run('--port', '0', '--exit-with-parent');
  await cli.line((line) => line.startsWith('simulated'));
  cli.child.stdin?.end();
  expect(await cli.exit).toBe(0);
});

test('a port in use is one clear line', async () => {
  await using sim = await startSim();
  const cli = run('--port', String(sim.port));
  expect(await cli.exit).toBe(1);
  expect(cli.errors()).toBe(
    `comfy-sim: port ${sim.port} is in use; choose another with --port (0 takes any free one)\n`,
  );
});

test.each([
  [['--port', 'x'], "--port must be a whole number from 0 to 65535, not 'x' (see --help)"],
  [['--count', '0'], "--count must be a whole number from 1 to 256, not '0' (see --help)"],
  [['--extension', 'web'], "--extension must be <name>=<folder>, not 'web' (see --help)"],
  [['--bogus'], "Unknown option '--bogus' (see --help)"],
])('a bad flag is one clear line: %j', (args, message) => {
  expect(parseCliOptions(args)).toEqual({ kind: 'error', message });
});

test('help names every flag', () => {
  expect(parseCliOptions(['--help'])).toEqual({ kind: 'help' });
  for (const flag of [
    'port',
    'count',
    'host',
    'step-ms',
    'run-ms',
    'model-load-ms',
    'models',
    'previews',
    'front-end-root',
    'extension',
    'json',
    'exit-with-parent',
  ]) {
    expect(USAGE).toContain(`--${flag}`);
  }
});
