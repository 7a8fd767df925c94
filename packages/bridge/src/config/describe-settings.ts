import { loadSources, pickSource } from './parse-config.ts';
import { isRecord } from '../lib/is-record.ts';
import type { Environment } from './sources.ts';
import type { Option } from './option.ts';
import { optionEntries } from './options.ts';

/** One setting as it counts. */
export interface EffectiveSetting {
  key: string;
  /** As one would write it; null: not set. Secrets are hidden. */
  value: string | null;
  /** `environment`, the path of a file, or `default`. */
  source: string;
}

export interface DescribedSettings {
  problems: readonly string[];
  warnings: readonly string[];
  settings: readonly EffectiveSetting[];
}

/** Every setting with where it comes from, also when some of them are wrong. */
export async function describeSettings(input: { env: Environment; cwd: string }): Promise<DescribedSettings> {
  const { sources, result } = await loadSources(input);
  const settings = optionEntries.map(([key, option]) => {
    const source = pickSource(sources, key);
    if (source === undefined)
      return { key, value: option.default ?? option.defaultText ?? null, source: 'default' };
    return { key, value: show(option, source.values.get(key), source.baseDir), source: source.name };
  });
  return { problems: result.ok ? [] : result.problems, warnings: result.warnings, settings };
}

function show(option: Option, raw: unknown, baseDir: string): string {
  if (option.secret === true) {
    const parsed = option.parser.parse(raw, baseDir);
    return parsed.ok && Array.isArray(parsed.value) ? parsed.value.map(showServer).join(', ') : '***';
  }
  return typeof raw === 'string' ? raw.trim() : JSON.stringify(raw);
}

/** A server of the fleet, without its token. */
function showServer(server: unknown): string {
  if (!isRecord(server)) return '***';
  const { name, url, token } = server;
  return `${String(name)}=${String(url)}${token === undefined ? '' : ';token=***'}`;
}
