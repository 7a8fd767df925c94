import { expect, test } from 'vitest';

import { findQuarantine, freshStanding, isWitness, noteNews } from './standing.ts';
import type { Evidence, Standing, StandingNews } from './standing.ts';

const canary: Evidence = { at: 1, kind: 'canary', detail: 'off', difference: 0.5 };
const vote: Evidence = { at: 2, kind: 'duplicate', detail: 'differs', difference: 0.4 };
const right: StandingNews = { type: 'canary-right', at: 5 };
const wrong: StandingNews = { type: 'canary-wrong', evidence: canary };
const won: StandingNews = { type: 'vote-won' };
const lost: StandingNews = { type: 'vote-lost', evidence: vote };
const doubted: StandingNews = { type: 'doubted', evidence: vote };
const unanswered: StandingNews = { type: 'canary-unanswered', at: 6, reason: 'it was lost' };

function after(...news: StandingNews[]): Standing {
  return news.reduce(noteNews, freshStanding);
}

test.each([
  ['one wrong canary', [right, wrong, right]],
  ['one lost vote', [won, lost, won, right, right]],
  ['any number of doubts', Array.from({ length: 50 }, () => doubted)],
  ['any number of canaries without an answer', Array.from({ length: 50 }, () => unanswered)],
  ['two wrong canaries with ten between them', [wrong, ...Array.from({ length: 10 }, () => right), wrong]],
])('%s: no quarantine', (_, news) => {
  expect(findQuarantine(after(...news), 9)).toBeUndefined();
});

test.each([
  ['two wrong canaries in a row', [wrong, wrong], '2 of 2 canaries were wrong'],
  [
    'two wrong among the last ten',
    [wrong, ...Array.from({ length: 8 }, () => right), wrong],
    '2 of 10 canaries were wrong',
  ],
  [
    'two lost votes, whatever its canaries say',
    [lost, right, right, right, won, lost],
    '2 of 3 results differed from what two others made',
  ],
  [
    'one of each',
    [lost, wrong],
    '1 of 1 canaries were wrong, and 1 of 1 results differed from what two others made',
  ],
])('%s: quarantine, with the evidence', (_, news, reason) => {
  const quarantine = findQuarantine(after(...news), 9);
  expect(quarantine).toMatchObject({ since: 9, reason });
  expect(quarantine?.evidence).toHaveLength(2);
});

test('right canaries do not make lost votes forgotten', () => {
  const canaries = Array.from({ length: 30 }, () => right);
  expect(findQuarantine(after(lost, ...canaries, lost), 9)).toBeDefined();
});

test('a backend with a wrong canary is no witness until ten were right', () => {
  expect(isWitness(freshStanding)).toBe(true);
  expect(isWitness(after(lost, doubted))).toBe(true);
  expect(isWitness(after(wrong))).toBe(false);
  expect(isWitness(after(wrong, ...Array.from({ length: 10 }, () => right)))).toBe(true);
});

test('operators see the last canary, when one was right, and the last twenty doubts', () => {
  expect(after(right, unanswered, unanswered)).toMatchObject({
    lastCanary: { at: 6, outcome: 'unanswered', detail: 'it was lost' },
    rightAt: 5,
    unanswered: 2,
  });
  expect(after(unanswered, wrong)).toMatchObject({
    lastCanary: { outcome: 'wrong' },
    rightAt: null,
    unanswered: 0,
  });
  expect(after(...Array.from({ length: 30 }, () => doubted)).doubts).toHaveLength(20);
});
