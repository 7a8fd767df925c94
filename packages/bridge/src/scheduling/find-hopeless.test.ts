import { expect, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import type { Kind } from '../placement/kind.ts';
import { createHopelessFinder } from './find-hopeless.ts';

const kind: Kind = {
  work: { workflow: 'w', sizeClass: 0, models: [] },
  needs: { key: 'w', nodeClasses: [], choices: [], models: [] },
};

function finder(obstacles: { reason: string | undefined; isTooLarge?: boolean }) {
  return createHopelessFinder({
    classify: () => kind,
    findObstacles: () => obstacles.reason,
    isTooLarge: () => obstacles.isTooLarge === true,
  });
}

test('a job is given up once nobody could run it for a minute, and not before', () => {
  const { find } = finder({ reason: 'nobody has it' });
  const job = newJob();
  expect(find([job], 0)).toEqual([]);
  expect(find([job], 59_999)).toEqual([]);
  expect(find([job], 60_000)).toEqual([{ job, reason: 'nobody has it' }]);
});

test('somebody who can run it in between starts the minute anew', () => {
  const obstacles: { reason: string | undefined } = { reason: 'nobody has it' };
  const { find } = finder(obstacles);
  const job = newJob();
  find([job], 0);
  obstacles.reason = undefined;
  find([job], 30_000);
  obstacles.reason = 'nobody has it';
  expect(find([job], 60_000)).toEqual([]);
  expect(find([job], 120_000)).toHaveLength(1);
});

test('a job that nobody has the memory for is given up at once', () => {
  const { find } = finder({ reason: 'too little memory', isTooLarge: true });
  expect(find([newJob()], 0)).toHaveLength(1);
});
