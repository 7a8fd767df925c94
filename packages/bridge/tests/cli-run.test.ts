import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { bridgeJobSchema, jobGroupSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';

import { cli, temporaryFolder } from './_cli.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';

const free = { mode: 'free', runMs: 0 } as const;
const picture = join(workflowsDir, 'input', 'sample_a.png');
const savedSchema = z.array(z.object({ id: z.uuid(), path: z.string() }));
/** The graph of the job that was printed, as text: its numbers may be wider than JavaScript's. */
async function graphOf(t: TestBridge, stdout: string): Promise<string> {
  const { id } = JSON.parse(stdout) as { id: string };
  return (await t.get(`/api/v2/jobs/${id}/workflow`)).text();
}

const isPng = (bytes: Buffer) => bytes.subarray(1, 4).toString() === 'PNG';

test('a picture of this machine goes in and a picture comes out, and stdout has its path alone', async () => {
  await using t = await startBridge({ sim: free });
  await using folder = await temporaryFolder();
  const options = { url: t.url, cwd: folder.path };
  await writeFile(join(folder.path, 'cat.png'), await readFile(picture));
  const { code, stdout, stderr } = await cli(
    ['run', 'upscale', '--image', 'picture=@cat.png', '--input', 'factor=3', '-o', 'big.png'],
    options,
  );
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: 'big.png\n' });
  expect(stderr).toMatch(/^upscale: /);
  expect(isPng(await readFile(join(folder.path, 'big.png')))).toBe(true);
  const [job] = t.bridge.ledger.unfinished();
  expect(job).toBeUndefined();
});

test('inputs come from files, from standard input, and in the types of the workflow', async () => {
  await using t = await startBridge({ sim: free });
  await using folder = await temporaryFolder();
  const options = { url: t.url, cwd: folder.path };
  await writeFile(join(folder.path, 'prompt.txt'), '밤의 등대\n');
  const run = await cli(
    ['run', 'text-to-image', '-i', 'prompt=@prompt.txt', '-i', '6/text=x', '-i', 'seed=18446744073709551615'],
    options,
  );
  expect(run).toMatchObject({ code: 2, stderr: expect.stringMatching(/given twice/) });
  const wide = ['--json', '-i', 'seed=18446744073709551615', '-i', 'CFG=7.5', '-i', 'negative_prompt=@@home'];
  const sent = await cli(['run', 'text-to-image', '-i', 'prompt=@prompt.txt', ...wide], options);
  expect(sent.code, sent.stderr).toBe(0);
  const graph = await graphOf(t, sent.stdout);
  expect(graph).toMatch(/"text": ?"밤의 등대"/);
  expect(graph).toMatch(/"text": ?"@home"/);
  expect(graph).toMatch(/"cfg": ?7\.5\D/);
  expect(graph).toMatch(/"seed": ?18446744073709551615\D/);
  const piped = await cli(['run', 'upscale', '--image', '-', '-o', '-'], {
    ...options,
    stdin: await readFile(picture),
  });
  expect(piped.code, piped.stderr).toBe(0);
  expect(piped.stdout).toContain('PNG');
});

test.each([
  [['-i', 'nope=1'], 2, /no input "nope"; it has: picture, factor, method/],
  [['-i', 'factor'], 2, /name=value/],
  [['--image', 'nope=x.png'], 1, /nope=x\.png cannot be read/],
  [['--image', 'factor=x.png'], 2, /takes a value \(float\)/],
  [['--video', 'x.mp4'], 2, /which input/],
  [['--image', 'x.png', '--image', '-'], 2, /given twice/],
  [['--seed', '1'], 2, /no input for a seed/],
  [['-i', 'factor=abc'], 3, /"factor" must be a number/],
  [['--image', 'x.png'], 1, /x\.png cannot be read/],
  [['-i', 'factor=@nowhere.txt'], 1, /cannot be read/],
] as const)('what is wrong with an input is told, and no job is made: %j', async (args, code, reason) => {
  await using t = await startBridge({ sim: free });
  const run = await cli(['run', 'upscale', ...args], { url: t.url });
  expect(run.stderr).toMatch(reason);
  expect(run).toMatchObject({ code, stdout: '' });
  expect((await cli(['jobs', '--json'], { url: t.url })).stdout).toMatch(/"jobs": \[\]/);
});

test('a file that is there is not replaced without --force, nor is a job run for it', async () => {
  await using t = await startBridge({ sim: free });
  await using folder = await temporaryFolder();
  const options = { url: t.url, cwd: folder.path };
  await writeFile(join(folder.path, 'a.png'), 'mine');
  const refused = await cli(['run', 'text-to-image', '-o', 'a.png'], options);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/--force/) });
  expect((await cli(['jobs', '--json'], options)).stdout).toMatch(/"jobs": \[\]/);
  expect((await cli(['run', 'text-to-image', '-o', 'a.png', '--force'], options)).code).toBe(0);
  expect(isPng(await readFile(join(folder.path, 'a.png')))).toBe(true);
  // In a folder there is room for another name.
  await mkdir(join(folder.path, 'out'));
  expect((await cli(['run', 'text-to-image', '-o', 'out'], options)).code).toBe(0);
  const [name = ''] = await readdir(join(folder.path, 'out'));
  await writeFile(join(folder.path, 'out', name), 'mine');
  const { stdout: listed } = await cli(['jobs', '--json'], options);
  const id = (JSON.parse(listed) as { jobs: { id: string }[] }).jobs[0]?.id ?? '';
  const numbered = name.replace('.png', '-2.png');
  const again = await cli(['jobs', 'watch', id, '-o', 'out'], options);
  expect(again).toMatchObject({ code: 0, stdout: `${join('out', numbered)}\n` });
  expect(await readFile(join(folder.path, 'out', name), 'utf8')).toBe('mine');
  expect((await readdir(join(folder.path, 'out'))).toSorted()).toEqual([numbered, name].toSorted());
  expect((await cli(['jobs', 'watch', id, '-o', 'out', '--force'], options)).code).toBe(0);
  expect(isPng(await readFile(join(folder.path, 'out', name)))).toBe(true);
});

test('a file that comes while the job runs is not replaced either, and the results are not lost', async () => {
  await using t = await startBridge();
  await using folder = await temporaryFolder();
  const late = cli(['run', 'text-to-image', '-o', 'late.png'], { url: t.url, cwd: folder.path });
  const run = await t.sim.nextPrompt();
  await writeFile(join(folder.path, 'late.png'), 'mine');
  run.start('3');
  await run.finish();
  const { code, stderr } = await late;
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/late\.png is there already.*\n.*jobs watch/),
  });
  expect(await readFile(join(folder.path, 'late.png'), 'utf8')).toBe('mine');
  expect(await readdir(folder.path)).toEqual(['late.png']);
});

test('--json prints the job with what was saved, and the batch of a sweep', async () => {
  await using t = await startBridge({ sim: free });
  await using folder = await temporaryFolder();
  const options = { url: t.url, cwd: folder.path };
  const single = await cli(['run', 'text-to-image', '--json', '-o', 'out/'], options);
  const { saved, ...job } = JSON.parse(single.stdout) as { saved: unknown };
  expect(bridgeJobSchema.parse(job).status).toBe('succeeded');
  expect(savedSchema.parse(saved)).toEqual([
    { id: expect.any(String), path: expect.stringMatching(/^out[/\\].*\.png$/) },
  ]);
  const sweep = ['--sweep', 'prompt=a fox,an owl', '--count', '2', '-o', 'many/', '--json'];
  const batch = await cli(['run', 'text-to-image', ...sweep], options);
  expect(batch.code, batch.stderr).toBe(0);
  const { saved: all, ...group } = JSON.parse(batch.stdout) as { saved: unknown };
  expect(jobGroupSchema.parse(group)).toMatchObject({ total: 4, status: 'succeeded' });
  expect(savedSchema.parse(all)).toHaveLength(4);
  expect(await readdir(join(folder.path, 'many'))).toHaveLength(4);
});

test('--seed sets every seed, and random is another one each time', async () => {
  await using t = await startBridge({ sim: free });
  const seedOf = async (seed: string) => {
    const { stdout } = await cli(['run', 'text-to-image', '--json', '--seed', seed], { url: t.url });
    return /"seed": ?(\d+)/.exec(await graphOf(t, stdout))?.[1];
  };
  expect(await seedOf('42')).toBe('42');
  const first = await seedOf('random');
  expect(first).toMatch(/^\d+$/);
  expect(await seedOf('random')).not.toBe(first);
});

test('a job that fails is exit code 1 with its reason, and one that takes too long is 5 and goes on', async () => {
  await using t = await startBridge();
  const failing = cli(['run', 'text-to-image', '--json'], { url: t.url });
  const run = await t.sim.nextPrompt();
  run.start('3');
  run.fail();
  const failed = await failing;
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/the job failed: /);
  expect(bridgeJobSchema.parse(JSON.parse(failed.stdout)).status).toBe('failed');
  const late = await cli(['run', 'text-to-image', '--timeout', '0.3'], { url: t.url });
  expect(late).toMatchObject({ code: 5, stdout: '', stderr: expect.stringMatching(/jobs watch [\w-]{36}/) });
  expect([...t.bridge.ledger.unfinished()]).toHaveLength(1);
});
