import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseConfig } from '../../packages/bridge/src/config/parse-config.ts';
import type { BridgeConfig } from '../../packages/bridge/src/config/bridge-config.ts';
import { optionEntries } from '../../packages/bridge/src/config/options.ts';

const root = join(import.meta.dirname, '..', '..');

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function isThere(path: string): boolean {
  return existsSync(join(root, path));
}

/** Names in the environment that mean something: settings, files of secret ones, and Node's own. */
export function isKnownVariable(name: string): boolean {
  const isSetting = optionEntries.some(([key]) => key === name);
  const isSecretFile = optionEntries.some(([key, option]) => option.secret && name === `${key}_FILE`);
  return isSetting || isSecretFile || name === 'NODE_ENV';
}

/** Settings as the bridge takes them; throws with what it would say of them. */
export function toConfig(env: Record<string, string>): BridgeConfig {
  const parsed = parseConfig({ env, cwd: root });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return parsed.config;
}

/** `KEY=value` or `KEY: value`, one a line. */
export function readVariables(lines: readonly string[]): Record<string, string> {
  const pairs = lines.map((line) => /^\s*([A-Z][A-Z0-9_]*)(?:=|:\s+)(.*?)\s*$/.exec(line));
  return Object.fromEntries(
    pairs.flatMap((pair) =>
      pair === null ? [] : [[pair[1] ?? '', (pair[2] ?? '').replace(/^'(.*)'$/, '$1')]],
    ),
  );
}

/** A stop must be given longer than the bridge takes for one: SHUTDOWN_TIMEOUT, and two seconds until it ends itself. */
export function stopSeconds(config: BridgeConfig): number {
  return config.server.shutdownTimeoutMs / 1000 + 2;
}
