import { join, resolve } from 'node:path';

/** `FAULTS=all` runs every row and every seed; without it the slow ones are left to a longer run. */
export const thorough = process.env['FAULTS'] === 'all';

/** How often the bridge tries a job; the oracle counts runs on the backends against it. */
export const maxAttempts = 3;

const root = join(import.meta.dirname, '..', '..');

/** The bridge as source, which needs no build; with `FAULTS_BRIDGE=dist` as it ships; or any other `main` by its path. */
export const bridgeFile = chooseBridge(process.env['FAULTS_BRIDGE'] ?? 'src');

function chooseBridge(wanted: string): string {
  const shipped: Record<string, string> = { src: 'src/main.ts', dist: 'dist/main.mjs' };
  return resolve(root, 'packages/bridge', shipped[wanted] ?? wanted);
}

export const workflowDir = join(import.meta.dirname, 'workflows');
