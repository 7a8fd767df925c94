const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** After each failed try until the next one, ms: the schedule that Standard Webhooks recommends ("Deliverability"). */
const delays = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/** Either way, so that what failed together does not come back together. */
const jitter = 0.2;

/** No try lies further ahead, whatever an endpoint asks for. */
export const longestDelayMs = 24 * hour * (1 + jitter);

/**
 * How long to wait after `failures` failed tries, ms; undefined when there is no next one. An endpoint may ask for more
 * than the schedule says, not for less. Pure; `random` is from 0 to 1.
 */
export function toRetryDelay(
  failures: number,
  { random, askedMs = 0 }: { random: number; askedMs?: number | undefined },
): number | undefined {
  const delay = delays[failures - 1];
  if (delay === undefined) return undefined;
  const planned = Math.round(delay * (1 - jitter + 2 * jitter * random));
  return Math.min(Math.max(planned, askedMs), longestDelayMs);
}
