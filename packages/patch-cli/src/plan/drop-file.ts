import type { Facts } from './facts.ts';
import type { Placed } from './place-file.ts';
import type { ReceiptFile } from './receipt.ts';
import { spotKey } from './spot.ts';

/** Takes one installed file away: what was there before comes back, or nothing is there. */
export function dropFile(
  { spot, kind, sha256, original }: ReceiptFile,
  { found, originals }: Facts,
  { force }: { force: boolean },
): Placed {
  const now = found.get(spotKey(spot)) ?? { kind: 'absent' };
  const gone: Placed = { spot, steps: [], record: undefined, problem: undefined };
  if (now.kind !== 'absent' && now.kind !== 'file') return { ...gone, problem: 'in-the-way' };
  if (now.kind === 'file' && kind !== 'settings' && !force && now.sha256 !== sha256)
    if (now.sha256 !== original?.sha256) return { ...gone, problem: 'edited' };
  if (original === undefined || (force && !originals.has(original.sha256)))
    return now.kind === 'absent' ? gone : { ...gone, steps: [{ do: 'set-aside', spot }] };
  if (now.kind === 'file' && now.sha256 === original.sha256 && now.mode === original.mode) return gone;
  if (!originals.has(original.sha256)) return { ...gone, problem: 'lost-original' };
  return { ...gone, steps: [{ do: 'write', spot, ...original, before: now }] };
}
