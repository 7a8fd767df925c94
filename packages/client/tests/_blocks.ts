import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Block {
  language: string;
  code: string;
  /** Of the README, from 1. */
  line: number;
}

/** The code blocks of the README. */
export async function readBlocks(): Promise<Block[]> {
  const text = await readFile(join(import.meta.dirname, '../README.md'), 'utf8');
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    line: text.slice(0, index).split('\n').length,
  }));
}
