import type { Facts } from './facts.ts';
import type { Receipt } from './receipt.ts';
import { spotPath } from './spot-path.ts';
import { spotKey } from './spot.ts';

export interface FileStates {
  whole: number;
  missing: string[];
  edited: string[];
  /** Originals that could not be put back. */
  lostOriginals: string[];
}

/** How the installed files are, by the receipt; donor.json may be edited freely and is not among them. */
export function judgeFiles({ files }: Receipt, { found, places, originals }: Facts): FileStates {
  const states: FileStates = { whole: 0, missing: [], edited: [], lostOriginals: [] };
  for (const { spot, sha256, kind, original } of files) {
    const path = spotPath(spot, places);
    if (original !== undefined && !originals.has(original.sha256)) states.lostOriginals.push(path);
    if (kind === 'settings') continue;
    const now = found.get(spotKey(spot)) ?? { kind: 'absent' };
    if (now.kind === 'absent') states.missing.push(path);
    else if (now.kind !== 'file' || now.sha256 !== sha256) states.edited.push(path);
    else states.whole += 1;
  }
  return states;
}
