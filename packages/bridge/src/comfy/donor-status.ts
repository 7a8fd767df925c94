import { isRecord } from '../lib/is-record.ts';
import { toNumber, toRecord, toText } from './read-fields.ts';

/** What a machine that is lent says of its lending: of `GET /comfy-bridge/status`, and of the event of the same shape. */
export interface DonorStatus {
  state: 'available' | 'paused';
  /** Why it is paused: its owner said so, its owner works there, or it is outside the hours in which it is lent. */
  reason: 'command' | 'owner-work' | 'schedule' | null;
  /** When the pause is to end, ms since the epoch by the donor's clock; null while nobody knows. */
  until: number | null;
  /** Unfinished prompts of ours that it takes at the most; null where it does not say. */
  maxQueue: number | null;
}

/** Why a machine that is lent did not take a prompt: by no fault of the prompt, nor of the machine. */
export type DonorRefusal =
  /** Its owner has paused it since it was last looked at. */
  | { kind: 'paused'; status: DonorStatus }
  /** It holds as many prompts of ours as its owner allows. */
  | { kind: 'full' };

/** Undefined when it is not that. What a later version may add to it is passed over. */
export function parseDonorStatus(json: unknown): DonorStatus | undefined {
  if (!isRecord(json)) return undefined;
  const { state } = json;
  if (state !== 'available' && state !== 'paused') return undefined;
  const maxQueue = toNumber(json['maxQueue']);
  return {
    state,
    reason: toReason(json['reason']),
    until: toTime(json['until']),
    maxQueue: maxQueue !== undefined && maxQueue >= 1 ? Math.floor(maxQueue) : null,
  };
}

/** Reads a 503 or a 429 to `POST /prompt`; undefined for one that comes from a proxy, or from ComfyUI itself. */
export function parseDonorRefusal(status: number, json: unknown): DonorRefusal | undefined {
  const error = toRecord(toRecord(json)['error']);
  const type = toText(error['type']);
  if (status === 429 && type === 'donor_queue_full') return { kind: 'full' };
  if (status !== 503 || type !== 'donor_paused') return undefined;
  const { reason, until } = toRecord(error['extra_info']);
  return {
    kind: 'paused',
    status: { state: 'paused', reason: toReason(reason), until: toTime(until), maxQueue: null },
  };
}

function toReason(value: unknown): DonorStatus['reason'] {
  return value === 'command' || value === 'owner-work' || value === 'schedule' ? value : null;
}

function toTime(value: unknown): number | null {
  const ms = Date.parse(toText(value));
  return Number.isNaN(ms) ? null : ms;
}
