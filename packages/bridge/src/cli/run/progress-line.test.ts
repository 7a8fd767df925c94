import { Writable } from 'node:stream';

import { expect, test } from 'vitest';

import type { CliOutput } from '../cli-host.ts';
import { displayWidth } from '../display-width.ts';
import { createProgressLine } from './progress-line.ts';

function createScreen(terminal: { isTTY?: boolean; columns?: number } = {}) {
  const screen = { text: '', at: 0 };
  const stream: CliOutput = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        screen.text += String(chunk);
        done();
      },
    }),
    terminal,
  );
  return { screen, stream, now: () => screen.at };
}

test('on a terminal one line changes, no wider than it, and is gone at the end', () => {
  const { screen, stream, now } = createScreen({ isTTY: true, columns: 40 });
  const progress = createProgressLine(stream, { label: '글로 그림을 만드는 워크플로', now });
  progress.show({ state: 'running', value: 0.5, doing: 'KSampler 21/50' });
  progress.show({ state: 'running', value: 0.75 });
  progress[Symbol.dispose]();
  const lines = screen.text.split('\r\u001B[2K');
  expect(lines[1]).toContain('글로 그림을');
  for (const line of lines) expect(displayWidth(line)).toBeLessThan(40);
  expect(screen.text.endsWith('\r\u001B[2K')).toBe(true);
  expect(screen.text).not.toContain('\n');
});

test('elsewhere a line comes with a new state, at each quarter, and when it was quiet for long', () => {
  const { screen, stream, now } = createScreen();
  const progress = createProgressLine(stream, { label: 'upscale', now });
  progress.show({ state: 'sending', isBrief: true });
  progress.show({ state: 'queued' });
  for (const value of [0.01, 0.1, 0.24, 0.26, 0.3, 0.9]) progress.show({ state: 'running', value });
  screen.at += 20_000;
  progress.show({ state: 'running', value: 0.91 });
  expect(screen.text).toBe(
    'upscale: queued\nupscale: running 1 %\nupscale: running 26 %\nupscale: running 90 %\nupscale: running 91 %\n',
  );
});

test('a terminal that can do nothing gets plain lines', () => {
  const { screen, stream, now } = createScreen({ isTTY: true, columns: 80 });
  createProgressLine(stream, { label: 'a', now, term: 'dumb' }).show({ state: 'queued' });
  expect(screen.text).toBe('a: queued\n');
});
