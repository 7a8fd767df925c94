import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { spawnCli, temporaryFolder } from './_cli.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

/** Each start of the program takes a second or more where much else runs. */
const patient = { timeout: 60_000 };
const free = { mode: 'free', runMs: 0 } as const;

test('a job in a shell: the path on stdout, plain lines on stderr, exit code 0', async () => {
  await using t = await startBridge({ sim: free });
  await using folder = await temporaryFolder();
  const run = spawnCli(['run', 'text-to-image', '-o', 'out.png'], { url: t.url, cwd: folder.path });
  const { code, stdout, stderr } = await run.done();
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: 'out.png\n' });
  // No terminal: neither colours nor lines that overwrite themselves.
  // oxlint-disable-next-line no-control-regex
  expect(stderr).not.toMatch(/[\u001B\r]/);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s cancels the job, and the exit code says so', async (signal, code) => {
  await using t = await startBridge();
  const run = spawnCli(['run', 'text-to-image'], { url: t.url });
  const prompt = await t.sim.nextPrompt();
  prompt.start('3');
  const canceled = t.nextEvent('job:finished');
  run.child.kill(signal);
  const { code: ended, stdout, stderr } = await run.done();
  expect({ ended, stdout }).toEqual({ ended: code, stdout: '' });
  expect(stderr).toMatch(/Canceling/);
  await canceled;
  expect([...t.bridge.ledger.unfinished()]).toEqual([]);
});

test('a second Ctrl-C leaves at once, whatever the bridge does', async () => {
  await using t = await startBridge();
  // A bridge that takes jobs, and never answers a cancel.
  const deaf = createServer((request, response) => {
    if (request.url?.endsWith('/cancel') === true) return;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { method = 'GET', url = '/' } = request;
      const type = request.headers['content-type'];
      const answer = await fetch(new URL(url, t.url), {
        method,
        headers: { connection: 'close', ...(type !== undefined && { 'content-type': type }) },
        ...(method === 'POST' && { body: Buffer.concat(chunks) }),
      });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      if (url.endsWith('/events')) response.end();
      else response.end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  await once(deaf.listen(0, '127.0.0.1'), 'listening');
  const { port } = deaf.address() as AddressInfo;
  const run = spawnCli(['run', 'text-to-image'], { url: `http://127.0.0.1:${port}` });
  await t.sim.nextPrompt();
  const { child } = run;
  await run.stderr.said(/queued|running/);
  child.kill('SIGINT');
  // The second not before it has taken the first.
  await run.stderr.said(/Canceling/);
  child.kill('SIGINT');
  await run.closed;
  expect(child.exitCode).toBe(130);
  deaf.closeAllConnections();
  deaf.close();
});

test('a bridge that is restarted meanwhile is waited for, and the results are saved', patient, async () => {
  await using world = await startWorld(1);
  await using folder = await temporaryFolder();
  let port = '0';
  let run: ReturnType<typeof spawnCli>;
  {
    await using t = await world.start();
    port = new URL(t.url).port;
    run = spawnCli(['run', 'text-to-image', '-o', 'out.png'], { url: t.url, cwd: folder.path });
    const prompt = await world.sim.nextPrompt();
    prompt.start('3');
    await run.stderr.said(/running/);
    await prompt.finish();
  }
  await using _again = await world.start({ env: { PORT: port } });
  const { code, stdout } = await run.done();
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'out.png\n' });
});

test('who reads only the first line of a list is no error', async () => {
  await using t = await startBridge({ sim: free });
  const run = spawnCli(['workflows', '--json'], { url: t.url });
  run.child.stdout.destroy();
  await run.closed;
  expect(run.child.exitCode).toBe(0);
  expect(run.stderr.text()).toBe('');
});

test('usage, refusal and absence have exit codes of their own', async () => {
  await using t = await startBridge({ sim: free });
  const codeOf = async (args: string[], url = t.url) => (await spawnCli(args, { url }).done()).code;
  expect(await codeOf(['bakends'])).toBe(2);
  expect(await codeOf(['run', 'nobody'])).toBe(3);
  expect(await codeOf(['jobs'], 'http://127.0.0.1:65432')).toBe(4);
  expect(await codeOf(['config', 'check'])).toBe(0);
});

test(
  'no argument, start and --insecure all start the bridge, and wrong settings are told as ever',
  patient,
  async () => {
    await using folder = await temporaryFolder();
    const env = { PORT: '0', DATA_DIR: folder.path, WORKFLOW_DIR: workflowsDir, LOG_FORMAT: 'json' };
    for (const args of [[], ['start'], ['--insecure'], ['start', '--insecure']]) {
      const { child, closed, stdout } = spawnCli(args, { cwd: folder.path, env });
      await stdout.said(/bridge listening/);
      child.kill('SIGTERM');
      await closed;
      expect({ args, code: child.exitCode }).toEqual({ args, code: 0 });
    }
    const wrong = await spawnCli([], { cwd: folder.path, env: { PORT: 'x' } }).done();
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/^environment: PORT is "x"/) });
  },
);

test('a start loads nothing of the command line', patient, async () => {
  await using folder = await temporaryFolder();
  const hook = `import { registerHooks } from 'node:module';
registerHooks({ resolve(name, context, next) {
  const found = next(name, context);
  if (/commander|packages.client|run-cli/.test(found.url)) process.stderr.write('LOADED ' + found.url);
  return found;
} });`;
  const env = {
    ...{ PORT: '0', DATA_DIR: folder.path, WORKFLOW_DIR: workflowsDir, LOG_FORMAT: 'json' },
    NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(hook)}"`,
  };
  const { child, closed, stdout, stderr } = spawnCli([], { cwd: join(folder.path), env });
  await stdout.said(/bridge listening/);
  child.kill('SIGTERM');
  await closed;
  expect(stderr.text()).toBe('');
  expect((await spawnCli(['--help'], { cwd: folder.path, env }).done()).stderr).toContain('LOADED');
});
