import type { ReceiptFile } from './receipt.ts';
import type { Spot } from './spot.ts';

export interface PayloadFile {
  spot: Spot;
  kind: Exclude<ReceiptFile['kind'], 'settings'>;
  content: Uint8Array;
  sha256: string;
}

/** What an installation consists of. */
export interface Payload {
  version: string;
  files: readonly PayloadFile[];
}

/** What a payload needs at least; undefined when all is there. */
export function findMissingPart({ files }: Payload): string | undefined {
  const needed = ['comfy-bridge/__init__.py', 'comfy-bridge/web/comfy-bridge.js', 'main_adapted.py'];
  return needed.find((path) => !files.some(({ spot }) => spot.path === path));
}
