import { formatMoment } from '../../words/language.ts';
import { reasonWords as t } from './reason-words.ts';

/** What the bridge says of a backend in English, as far as it is known here: told in the language of the page. */
const known: readonly [RegExp, (found: readonly string[]) => string][] = [
  [/^runs (\d+) of our jobs$/, ([n = '']) => t('runs-ours', { count: n })],
  [/^its owner has (\d+) in its queue$/, ([n = '']) => t('owner-queue', { count: n })],
  [/^does not answer$/, () => t('silent')],
  [/^was not reached yet$/, () => t('unreached')],
  [/^is leaving the fleet$/, () => t('leaving')],
  [/^is paused$/, () => t('paused')],
  [/^is draining$/, () => t('draining')],
  [/^is paused by its owner$/, () => t('owner-paused')],
  [
    /^is paused by its owner until (\S+)$/,
    ([until = '']) => t('owner-until', { until: formatMoment(until) }),
  ],
  [/^does not take more prompts for a while$/, () => t('full')],
  [/^failed too often and is given a rest$/, () => t('resting')],
  [/^takes nothing at the moment$/, () => t('nothing-now')],
  [/^does not have the tags (.+)$/, ([tags = '']) => t('no-tags', { tags })],
  [/^is kept for other workflows$/, () => t('kept')],
  [
    /^has too little memory: ([\d.]+ GB), and runs of this size went out of memory with ([\d.]+ GB)$/,
    ([usable = '', needed = '']) => t('too-small', { usable, needed }),
  ],
];

/** Anything else as it came. */
export function tellReason(reason: string): string {
  for (const [pattern, tell] of known) {
    const found = pattern.exec(reason);
    if (found !== null) return tell(found.slice(1));
  }
  return reason;
}
