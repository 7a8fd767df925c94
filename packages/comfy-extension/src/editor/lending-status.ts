import { isRecord } from '../marks/is-record.ts';
import type { Texts } from '../texts/en.ts';
import type { ComfyApi } from './comfy-types.ts';

/** Whether this ComfyUI is lent to a bridge, as the pack's donor mode answers it. */
export interface LendingStatus {
  isPaused: boolean;
  /** `command`, `owner-work`, `schedule`, or one that is not known yet. */
  reason: string | undefined;
  until: Date | undefined;
}

export type LendingAnswer =
  | { kind: 'status'; status: LendingStatus }
  /** This ComfyUI has no donor mode, or does not tell this browser. */
  | { kind: 'absent' }
  | { kind: 'refused' }
  | { kind: 'failed' };

const deadlineMs = 5_000;

/** Asks for the status, or changes it. Never throws. */
export async function askLending(
  api: Pick<ComfyApi, 'fetchApi'>,
  action: 'status' | 'pause' | 'resume',
  minutes?: number,
): Promise<LendingAnswer> {
  const change = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...(minutes !== undefined && { minutes }) }),
  };
  try {
    const response = await api.fetchApi(`/comfy-bridge/${action}`, {
      ...(action !== 'status' && change),
      signal: AbortSignal.timeout(deadlineMs),
    });
    if (response.status === 403 && action !== 'status') return { kind: 'refused' };
    if ([403, 404, 405].includes(response.status)) return { kind: 'absent' };
    const body: unknown = response.ok ? await response.json() : undefined;
    // The pack without donor mode.
    if (isRecord(body) && body['lent'] === false) return { kind: 'absent' };
    const status = parseStatus(body);
    return status === undefined ? { kind: 'failed' } : { kind: 'status', status };
  } catch {
    return { kind: 'failed' };
  }
}

function parseStatus(body: unknown): LendingStatus | undefined {
  if (!isRecord(body) || body['v'] !== 1) return undefined;
  const { state, reason, until } = body;
  if (state !== 'available' && state !== 'paused') return undefined;
  const time = typeof until === 'string' ? new Date(until) : undefined;
  return {
    isPaused: state === 'paused',
    reason: typeof reason === 'string' ? reason : undefined,
    until: time === undefined || Number.isNaN(time.getTime()) ? undefined : time,
  };
}

/** In words. The time is that of the reader's clock; the day is said where it is not today. */
export function describeLending(
  t: Texts,
  { isPaused, reason, until }: LendingStatus,
  now = new Date(),
): string {
  if (!isPaused) return t.lentNow;
  if (reason === 'owner-work') return t.pausedForWork;
  if (until !== undefined) return t.pausedUntil(showTime(until, now));
  return reason === 'schedule' ? t.pausedBySchedule : t.paused;
}

function showTime(time: Date, now: Date): string {
  const pad = (value: number): string => String(value).padStart(2, '0');
  const clock = `${pad(time.getHours())}:${pad(time.getMinutes())}`;
  const isToday = time.toDateString() === now.toDateString();
  return isToday ? clock : `${pad(time.getMonth() + 1)}-${pad(time.getDate())} ${clock}`;
}
