import { isRecord } from '../lib/is-record.ts';
import { toId, toNumber } from './read-fields.ts';

/** Prompt ids, in the order in which they run. */
export interface PromptQueue {
  running: string[];
  pending: string[];
}

/** Reads `GET /queue`; undefined when it is not that. Graphs and keys in it are left behind. */
export function readQueue(json: unknown): PromptQueue | undefined {
  if (!isRecord(json) || !Array.isArray(json['queue_running']) || !Array.isArray(json['queue_pending'])) {
    return undefined;
  }
  return { running: toPromptIds(json['queue_running']), pending: toPromptIds(json['queue_pending']) };
}

/** An item is `[number, prompt_id, …]`; the pending ones come as a heap, not sorted. Ties go by id, as in the heap. */
function toPromptIds(items: unknown[]): string[] {
  const entries: { number: number; id: string }[] = [];
  for (const item of items) {
    if (!Array.isArray(item)) continue;
    const id = toId(item[1]);
    if (id !== undefined) entries.push({ number: toNumber(item[0]) ?? 0, id });
  }
  return entries.toSorted((a, b) => a.number - b.number || (a.id < b.id ? -1 : 1)).map((entry) => entry.id);
}
