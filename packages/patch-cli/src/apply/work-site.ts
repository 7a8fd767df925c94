import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import { stateFolder } from '../plan/spot.ts';

/** Where one run of the CLI works. */
export interface WorkSite {
  disk: Disk;
  /** The folder of main.py. */
  root: string;
  /** The state folder. */
  state: string;
  /** 12 hexadecimal digits, new for every run: what carries them in its name is of this run. */
  run: string;
}

export function createWorkSite(disk: Disk, root: string): WorkSite {
  return { disk, root, state: join(root, stateFolder), run: randomBytes(6).toString('hex') };
}
