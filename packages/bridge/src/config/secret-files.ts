import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { optionEntries } from './options.ts';
import type { Environment, Source } from './sources.ts';

/** Secrets that stand in files of their own, as containers and service managers hand them in. */
export interface SecretFiles {
  /** One for each file, called as the variable that names it. */
  sources: readonly Source[];
  problems: readonly string[];
}

/** Of what is set for `OPERATOR_TOKEN`, `OPERATOR_TOKEN_FILE` names the file. */
const suffix = '_FILE';

/**
 * Reads the files that the environment names for secret settings, `<KEY>_FILE`. A line break at the end does not count. Never
 * rejects; no text of a file is in a problem.
 */
export async function readSecretFiles(env: Environment, cwd: string): Promise<SecretFiles> {
  const sources: Source[] = [];
  const problems: string[] = [];
  for (const [key, option] of optionEntries) {
    const name = `${key}${suffix}`;
    const path = env[name]?.trim() ?? '';
    if (option.secret !== true || path === '') continue;
    if ((env[key] ?? '').trim() !== '') {
      problems.push(`environment: ${key} and ${name} are both set, allowed: one of them`);
      continue;
    }
    try {
      const text = (await readFile(resolve(cwd, path), 'utf8')).replace(/\r?\n$/, '');
      sources.push({ name, baseDir: cwd, values: new Map([[key, text]]) });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      problems.push(`environment: ${name} names ${path}, which cannot be read (${code})`);
    }
  }
  return { sources, problems };
}
