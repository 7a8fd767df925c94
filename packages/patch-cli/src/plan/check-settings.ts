import { isOwnerFrom, isSchedule, isToken } from './donor-settings.ts';

type Check = (value: unknown) => boolean;

const text =
  (isGood: (text: string) => boolean): Check =>
  (value) =>
    typeof value === 'string' && isGood(value);
const number =
  (low: number, high: number, isGood: (value: number) => boolean = Number.isFinite): Check =>
  (value) =>
    typeof value === 'number' && value >= low && value <= high && isGood(value);

/** Every key of donor.json as the pack reads it, and what it may be. */
const known: Readonly<Record<string, { check: Check; says: string }>> = {
  token: { check: text(isToken), says: '16 to 512 printable ASCII characters without spaces' },
  ownerFrom: { check: isOwnerValue, says: '"loopback", "none" or a list of networks like "192.168.1.0/24"' },
  schedule: {
    check: text((value) => value.trim() === '' || isSchedule(value)),
    says: 'such as "22:00-08:00" or "Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00"',
  },
  ownerWork: { check: text((value) => ['pause', 'share'].includes(value)), says: '"pause" or "share"' },
  onPause: {
    check: text((value) => ['interrupt', 'finish'].includes(value)),
    says: '"interrupt" or "finish"',
  },
  resumeAfterSeconds: { check: number(0, 86_400), says: 'a number from 0 to 86400' },
  freeMemory: { check: (value) => typeof value === 'boolean', says: 'true or false' },
  orphanSeconds: { check: number(1, 86_400), says: 'a number from 1 to 86400' },
  maxBodyMb: { check: number(1, 65_536), says: 'a number from 1 to 65536' },
  requestsPerSecond: { check: number(1, 10_000), says: 'a number from 1 to 10000' },
  maxQueue: { check: number(1, 1_000, Number.isInteger), says: 'a whole number from 1 to 1000' },
  keepHours: { check: number(0.1, 8_760), says: 'a number from 0.1 to 8760' },
};

function isOwnerValue(value: unknown): boolean {
  if (value === 'loopback' || value === 'none') return true;
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => typeof one === 'string' && !['loopback', 'none'].includes(one) && isOwnerFrom(one))
  );
}

/** What the pack would refuse to start with; never names a value, which may be the token. */
export function checkSettings(settings: Readonly<Record<string, unknown>>): { key: string; says: string }[] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const entry = Object.hasOwn(known, key) ? known[key] : undefined;
    if (entry === undefined)
      return [{ key, says: `no setting; known are: ${Object.keys(known).join(', ')}` }];
    return entry.check(value) ? [] : [{ key, says: entry.says }];
  });
}
