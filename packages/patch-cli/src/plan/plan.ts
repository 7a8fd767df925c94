import type { Journal, Step } from './journal.ts';
import type { Receipt } from './receipt.ts';
import type { Refusal } from './refusals.ts';
import { spotKey } from './spot.ts';

/** What is going to be done, in order; nothing of it needs a further decision. */
export interface Plan {
  command: Journal['command'];
  steps: readonly Step[];
  dropFolders: Journal['dropFolders'];
  /** New contents by their hash; a `write` whose hash is not here takes a kept original. */
  contents: ReadonlyMap<string, Uint8Array>;
  /** What counts afterwards; undefined after an uninstall. */
  receipt: Receipt | undefined;
  state: Journal['state'];
  /** For people: what is left as it is, and why. */
  notes: readonly string[];
}

export type Planned = { ok: true; plan: Plan } | { ok: false; refusal: Refusal };

/** Whether carrying a plan out would change anything. */
export function isIdle({ steps, receipt }: Plan, installed: Receipt | undefined): boolean {
  return (
    steps.length === 0 &&
    receipt !== undefined &&
    installed !== undefined &&
    installed.version === receipt.version &&
    describeFiles(installed) === describeFiles(receipt)
  );
}

/** The same text for the same files, in whatever order they were written down. */
function describeFiles({ files }: Receipt): string {
  const lines = files.map(({ spot, kind, sha256, original }) =>
    [spotKey(spot), kind, sha256, original?.sha256, original?.mode].join(' '),
  );
  return lines.sort().join('\n');
}
