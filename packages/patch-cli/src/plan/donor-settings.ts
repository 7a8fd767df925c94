import { isIP } from 'node:net';

import { z } from 'zod';

import type { Refusal } from './refusals.ts';
import { refusals } from './refusals.ts';

/** What the command line says of donor.json; undefined leaves a key as it is. */
export interface SettingsFlags {
  token: string | undefined;
  noToken: boolean;
  schedule: string | undefined;
  ownerFrom: string | undefined;
}

export type MergedSettings =
  /** `text` is undefined when the file stays as it is. `token` is the one that counts now. */
  { ok: true; text: string | undefined; token: string | undefined } | { ok: false; refusal: Refusal };

/**
 * donor.json after an install: the owner's keys stay, flags change theirs, and a machine that has no token yet gets one unless
 * `noToken`: an installation that is locked by default cannot be left open by forgetting something.
 */
export function mergeSettings(
  existing: string | undefined,
  path: string,
  { token, noToken, schedule, ownerFrom }: SettingsFlags,
  makeToken: (() => string) | undefined,
): MergedSettings {
  const settings = existing === undefined ? {} : parseSettings(existing);
  if (settings === undefined) return { ok: false, refusal: refusals.badSettings(path) };
  const before = JSON.stringify(settings);
  if (token !== undefined) settings['token'] = token;
  if (noToken) delete settings['token'];
  if (settings['token'] === undefined && !noToken && makeToken !== undefined) settings['token'] = makeToken();
  if (schedule !== undefined) settings['schedule'] = schedule;
  if (ownerFrom !== undefined)
    settings['ownerFrom'] = ['loopback', 'none'].includes(ownerFrom) ? ownerFrom : ownerFrom.split(',');
  const isSame = existing !== undefined && JSON.stringify(settings) === before;
  const now = settings['token'];
  return {
    ok: true,
    text: isSame ? undefined : `${JSON.stringify(settings, undefined, 2)}\n`,
    token: typeof now === 'string' ? now : undefined,
  };
}

/** A JSON object; undefined for anything else. */
export function parseSettings(text: string): Record<string, unknown> | undefined {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** 16 to 512 printable ASCII characters without spaces: what fits into a header and a list of servers. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]{16,512}$/.test(text);
}

const day = '(?:mon|tue|wed|thu|fri|sat|sun)';
const span = new RegExp(String.raw`^(?:${day}(?:-${day})?\s+)?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$`, 'i');

/** `22:00-08:00`, `Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00`: the rules of the pack's own schedule.py. */
export function isSchedule(text: string): boolean {
  return text.split(',').every((one) => {
    const [, fromHour, fromMinute, toHour, toMinute] = span.exec(one.trim()) ?? [];
    const [start, end] = [minutesOf(fromHour, fromMinute), minutesOf(toHour, toMinute)];
    return start !== undefined && end !== undefined && start < 24 * 60 && start !== end;
  });
}

function minutesOf(hours: string | undefined, minutes: string | undefined): number | undefined {
  const total = Number(hours) * 60 + Number(minutes);
  return Number(minutes) <= 59 && total <= 24 * 60 ? total : undefined;
}

/** `loopback`, `none`, or networks such as `192.168.1.0/24,fd00::/8`. */
export function isOwnerFrom(text: string): boolean {
  if (['loopback', 'none'].includes(text)) return true;
  return text.split(',').every((one) => {
    const [address = '', bits, ...rest] = one.split('/');
    const width = isIP(address) === 4 ? 32 : 128;
    if (isIP(address) === 0 || rest.length > 0) return false;
    return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width);
  });
}
