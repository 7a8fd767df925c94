import { loadToldConfig } from './parse-config.ts';
import type { Environment } from './sources.ts';

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
  const { settings, result } = await loadToldConfig(input);
  return {
    problems: result.ok ? [] : result.problems,
    warnings: result.warnings,
    settings: settings.map(({ name, value, default: usual, from }) => ({
      key: name,
      value: value || usual || null,
      source: from,
    })),
  };
}
