import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { createSecret } from './config/secret.ts';
import { createLogger } from './logging.ts';
import type { Logger, LoggerOptions } from './logging.ts';

function capture(options: Partial<LoggerOptions> = {}): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { lines, logger: createLogger({ level: 'debug', format: 'json', destination, ...options }) };
}

test('a line is one JSON object with time, level, part and message', () => {
  const { logger, lines } = capture();
  logger.child({ part: 'scheduling' }).warn({ jobId: 'j1' }, 'job waits');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    part: 'scheduling',
    jobId: 'j1',
    msg: 'job waits',
  });
});

test('what is below the level is not logged', () => {
  const { logger, lines } = capture({ level: 'error' });
  logger.warn('no');
  logger.error('yes');
  expect(lines).toHaveLength(1);
});

test('secrets are hidden by key at any depth, in bindings, errors and texts', () => {
  const { logger, lines } = capture();
  const cause = Object.assign(new Error('GET http://me:hidden@gpu/?access_token=hidden&a=1 failed'), {
    request: { headers: { Authorization: 'Bearer hidden' } },
  });
  const child = logger.child({ part: 'comfy', token: 'hidden' });
  child.info(
    {
      headers: { authorization: 'hidden', cookie: 'hidden', accept: 'kept' },
      list: [{ deep: { operatorToken: 'hidden', tokens: 3 } }],
      secret: createSecret('hidden'),
      wrapped: { value: createSecret('hidden') },
      url: 'https://me:p@ss-hidden@gpu/a?token=hidden',
      header: 'Bearer hidden.hidden',
    },
    'called',
  );
  child.error({ err: cause }, 'failed');
  child.error({ err: new Error('outer', { cause }) }, 'failed');
  child.error(cause);
  child.info('asked https://gpu/?token=hidden\n"Bearer hidden" with "http://a" and b@c');
  expect(lines).toHaveLength(5);
  expect(lines.join('')).not.toContain('hidden');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    token: '***',
    headers: { authorization: '***', cookie: '***', accept: 'kept' },
    list: [{ deep: { operatorToken: '***', tokens: 3 } }],
    wrapped: { value: '***' },
    url: 'https://***@gpu/a?token=***',
  });
  expect(JSON.parse(lines[4] ?? '')).toMatchObject({
    msg: 'asked https://gpu/?token=***\n"Bearer ***" with "http://a" and b@c',
  });
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({
    err: { type: 'Error', stack: expect.stringContaining('logging') },
  });
});

test('dates, endless nesting and strange errors do no harm', () => {
  const { logger, lines } = capture();
  const loop: Record<string, unknown> = {};
  loop['loop'] = loop;
  logger.info({ at: new Date(0), loop, nothing: undefined, none: null }, 'odd');
  logger.error({ err: 'just a text' }, 'odd');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ at: '1970-01-01T00:00:00.000Z', none: null });
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ err: { message: 'just a text' } });
});

test('the pretty format is for people', () => {
  const { logger, lines } = capture({ format: 'pretty' });
  logger.child({ part: 'ws' }).info({ clientId: 'c1' }, 'client left');
  expect(lines.join('')).toMatch(/^\[[\d:.]+\] INFO: \[ws\] client left\n\s+clientId: "c1"\n$/);
});

test.for(['json', 'pretty', 'auto'])(
  'every %s line reaches stdout although the process exits at once',
  async (format) => {
    const script = `
    const { createLogger } = await import(${JSON.stringify(new URL('logging.ts', import.meta.url).href)});
    const logger = createLogger({ level: 'info', format: ${JSON.stringify(format)} });
    for (let i = 0; i < 2000; i += 1) logger.info({ i }, 'line-' + i);
    process.exit(3);
  `;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      maxBuffer: 2 ** 24,
    });
    const { code, stdout } = await run
      .catch((error: { code: number; stdout: string }) => error)
      .then(toOutcome);
    expect(code).toBe(3);
    expect(stdout.match(/line-\d+/g)).toHaveLength(2000);
    expect(stdout).toContain('line-1999');
  },
);

function toOutcome(result: { code?: number; stdout: string }): { code: number; stdout: string } {
  return { code: result.code ?? 0, stdout: result.stdout };
}

test.for(['json', 'pretty'] as const)('what a machine says cannot steer a terminal (%s)', (format) => {
  const { logger, lines } = capture({ format });
  const text = 'a\u001b[31mb\u009b2Jc\u0007d\r\u202ee\\u001bf\b';
  logger.warn({ reason: text, err: new Error(text) }, 'lost');
  // oxlint-disable-next-line no-control-regex
  expect(lines.join('')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(lines.join('')).toContain('u001bf');
});
