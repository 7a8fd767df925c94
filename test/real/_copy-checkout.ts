import { cp, lstat } from 'node:fs/promises';
import { basename } from 'node:path';

/** No part of ComfyUI's own is so large; models are, and those are not needed. */
const maxBytes = 5_000_000;
const leftOut = new Set(['.git', '__pycache__']);

/** Copies a ComfyUI without its models, its git history and compiled Python. */
export async function copyCheckout(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    async filter(path) {
      const { size } = await lstat(path);
      return size < maxBytes && !leftOut.has(basename(path));
    },
  });
}
