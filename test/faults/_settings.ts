import { join } from 'node:path';

/** `FAULTS=all` runs every row and every seed; without it the slow ones are left to a longer run. */
export const thorough = process.env['FAULTS'] === 'all';

/** How often the bridge tries a job; the oracle counts runs on the backends against it. */
export const maxAttempts = 3;

const root = join(import.meta.dirname, '..', '..');

/** The bridge as source, which needs no build, or as it ships with `FAULTS_BRIDGE=dist`. */
export const bridgeFile = join(
  root,
  'packages/bridge',
  process.env['FAULTS_BRIDGE'] === 'dist' ? 'dist/main.mjs' : 'src/main.ts',
);

export const workflowDir = join(import.meta.dirname, 'workflows');
