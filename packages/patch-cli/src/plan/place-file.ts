import type { Facts } from './facts.ts';
import type { Before, Step } from './journal.ts';
import type { ReceiptFile } from './receipt.ts';
import { spotKey } from './spot.ts';
import type { Spot } from './spot.ts';

export interface WantedFile {
  spot: Spot;
  kind: ReceiptFile['kind'];
  content: Uint8Array;
  sha256: string;
  /** Exact permissions; by the umask where undefined. */
  mode?: number;
}

/** What one file takes, and what is written down of it. */
export interface Placed {
  spot: Spot;
  steps: Step[];
  /** Undefined for a file that is no longer ours. */
  record: ReceiptFile | undefined;
  problem: 'in-the-way' | 'edited' | 'lost-original' | undefined;
}

/** Brings one file to what is wanted; `installed` is what the receipt says of it. */
export function placeFile(
  wanted: WantedFile,
  { found }: Facts,
  installed: ReceiptFile | undefined,
  { force }: { force: boolean },
): Placed {
  const { spot, kind, sha256, mode } = wanted;
  const now = found.get(spotKey(spot)) ?? { kind: 'absent' };
  const write = (before: Before): Step => ({
    do: 'write',
    spot,
    sha256,
    before,
    ...(mode !== undefined && { mode }),
  });
  const record: ReceiptFile = {
    spot,
    sha256,
    kind,
    ...(installed?.original !== undefined && { original: installed.original }),
  };
  if (now.kind === 'absent') return { spot, record, problem: undefined, steps: [write({ kind: 'absent' })] };
  if (now.kind !== 'file') return { spot, record, problem: 'in-the-way', steps: [] };
  if (installed === undefined) record.original = { sha256: now.sha256, mode: now.mode };
  const steps = now.sha256 === sha256 ? [] : [write(now)];
  const isEdited =
    installed !== undefined && kind !== 'settings' && now.sha256 !== installed.sha256 && steps.length > 0;
  return { spot, record, steps, problem: isEdited && !force ? 'edited' : undefined };
}
