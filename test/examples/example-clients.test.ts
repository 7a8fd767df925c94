import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';

const examples = join(import.meta.dirname, '../../examples');
const python = process.env['PYTHON'] ?? 'python3';

const clients = [
  {
    name: 'the TypeScript WebSocket client',
    command: process.execPath,
    file: 'typescript/websocket-client.ts',
  },
  { name: 'the TypeScript REST client', command: process.execPath, file: 'typescript/rest-client.ts' },
  { name: 'the Python WebSocket client', command: python, file: 'python/websocket_client.py' },
  { name: 'the Python REST client', command: python, file: 'python/rest_client.py' },
];

/** Why a client cannot run here; undefined when it can. */
function whyNot({ command, file }: (typeof clients)[number]): string | undefined {
  if (command !== python) return undefined;
  const modules = file.includes('websocket') ? 'sys, websocket' : 'sys';
  const code = `import ${modules}; sys.exit(0 if sys.version_info >= (3, 9) else 3)`;
  const { status } = spawnSync(python, ['-c', code]);
  if (status === 0) return undefined;
  if (status === null) return `there is no ${python}`;
  if (status === 3) return `${python} is older than 3.9`;
  return `${python} has no websocket-client: pip install -r examples/python/requirements.txt`;
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Running {
  ended: Promise<Ended>;
  /** Resolves once the client has printed a percentage. */
  toldProgress: Promise<void>;
}

function startClient({ command, file }: (typeof clients)[number], args: string[]): Running {
  const child = spawn(command, [join(examples, file), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' },
  });
  const toldProgress = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (/\d\.\d\d%/.test(chunk.toString())) resolve();
    });
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr]) => ({ code: child.exitCode, stdout, stderr }),
  );
  return { ended, toldProgress };
}

function runClient(client: (typeof clients)[number], args: string[]): Promise<Ended> {
  return startClient(client, args).ended;
}

/** The picture that goes up: red on the left, blue on the right. */
const red = [255, 0, 0];
const blue = [0, 0, 255];
const picture = { width: 48, height: 32 };

async function colourAt(path: string, left: number, top: number): Promise<number[]> {
  const pixel = await sharp(path).removeAlpha().extract({ left, top, width: 1, height: 1 }).raw().toBuffer();
  return [...pixel];
}

let folder: string;
let picturePath: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'example-clients-'));
  picturePath = join(folder, 'red and blue.png');
  const pixels = Buffer.from([...red, ...blue]);
  await sharp(pixels, { raw: { width: 2, height: 1, channels: 3 } })
    .resize({ ...picture, fit: 'fill', kernel: 'nearest' })
    .png()
    .toFile(picturePath);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(clients)('$name', (client) => {
  const reason = whyNot(client);

  test('uploads a picture, runs a workflow on it and saves the result', async ({ skip }) => {
    skip(reason !== undefined, reason);
    await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
    const out = join(folder, client.file, 'picture');
    const inputs = ['--input', '3/rotation=90 degrees', '--input', '2/flip_method=x-axis: vertically'];
    const image = ['--image', `1/image=${picturePath}`];
    const ended = await runClient(client, [t.url, 'flip-and-rotate', ...inputs, ...image, '--out', out]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(await readdir(out)).toEqual(['result_0.png']);
    const saved = join(out, 'result_0.png');
    expect(await sharp(saved).metadata()).toMatchObject({ format: 'png', width: 32, height: 48 });
    // Turned clockwise, what was on the left is on top.
    expect(await colourAt(saved, 16, 4)).toEqual(red);
    expect(await colourAt(saved, 16, 44)).toEqual(blue);
  });

  test('saves every result of a workflow that makes several', async ({ skip }) => {
    skip(reason !== undefined, reason);
    await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
    const out = join(folder, client.file, 'several');
    const ended = await runClient(client, [
      `${t.url}/`,
      'batch',
      '--image',
      `1/image=${picturePath}`,
      '--out',
      out,
    ]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect((await readdir(out)).toSorted()).toEqual(['result_0.png', 'result_1.png', 'result_2.png']);
    const [first, second] = await Promise.all(
      ['result_0.png', 'result_1.png'].map((name) => readFile(join(out, name))),
    );
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(false);
    expect(await sharp(first).metadata()).toMatchObject(picture);
  });

  test('sends values as typed, shows progress, and ends with the reason when the job fails', async ({
    skip,
  }) => {
    skip(reason !== undefined, reason);
    await using t = await startBridge();
    const out = join(folder, client.file, 'failed');
    const inputs = [
      '--input',
      '6/text=a = b',
      '--input',
      '3/seed=18446744073709551615',
      '--input',
      '3/cfg=2.5',
    ];
    const running = startClient(client, [t.url, 'text-to-image', ...inputs, '--out', out]);
    const prompt = await t.sim.nextPrompt();
    expect(prompt.prompt['6']?.inputs['text']).toBe('a = b');
    expect(prompt.prompt['3']?.inputs['cfg']).toBe(2.5);
    expect(prompt.prompt['3']?.inputs['steps']).toBe(20);
    prompt.start('3');
    prompt.progress(10, 20, '3');
    await running.toldProgress;
    prompt.fail({ message: 'the lens cap is on' });
    const ended = await running.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('the lens cap is on');
    expect(ended.stderr).not.toContain('Traceback');
  });

  test('ends with what the bridge says when it refuses', async ({ skip }) => {
    skip(reason !== undefined, reason);
    await using t = await startBridge();
    const unknown = await runClient(client, [t.url, 'no-such-workflow', '--out', folder]);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('there is no workflow "no-such-workflow"');
    const wrong = await runClient(client, [
      t.url,
      'text-to-image',
      '--input',
      '3/steps=many',
      '--out',
      folder,
    ]);
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('"3/steps" must be a whole number from 1 to 60, not "many"');
  });
});
