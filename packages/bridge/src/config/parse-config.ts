import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { toBridgeConfig } from './bridge-config.ts';
import type { BridgeConfig } from './bridge-config.ts';
import { show } from './option.ts';
import type { Option, WrongPart } from './option.ts';
import { optionEntries } from './options.ts';
import type { OptionValues } from './options.ts';
import { readSecretFiles } from './secret-files.ts';
import type { SecretFiles } from './secret-files.ts';
import { tellSetting } from './tell-setting.ts';
import type { ToldSetting } from './tell-setting.ts';
import { fromConfigJson, fromDotEnv, fromEnvironment } from './sources.ts';
import type { ConfigFile, Environment, Findings, Source } from './sources.ts';

export interface ConfigInput {
  env: Environment;
  /** Where relative paths of the environment and of defaults count from. */
  cwd: string;
  files?: {
    dotEnv?: ConfigFile | undefined;
    configJson?: ConfigFile | undefined;
    secrets?: SecretFiles | undefined;
  };
}

/** Problems and warnings are one line each. A warning is something that has no effect although it looks as if it had. */
export type ConfigResult =
  | { ok: true; config: BridgeConfig; warnings: readonly string[] }
  | { ok: false; problems: readonly string[]; warnings: readonly string[] };

/**
 * Merges environment, `.env`, config.json and defaults, in this order of precedence, option by option, and reports all
 * wrong values at once. Pure. An empty value counts as not set.
 */
export function parseConfig(input: ConfigInput): ConfigResult {
  return parseSources(input).result;
}

/** With every setting as it counts, also when some of them are wrong. */
export interface ToldConfig {
  settings: readonly ToldSetting[];
  result: ConfigResult;
}

function parseSources({ env, cwd, files = {} }: ConfigInput): ToldConfig {
  const { dotEnv, configJson, secrets } = files;
  const findings: Findings = { problems: [...(secrets?.problems ?? [])], warnings: [] };
  const sources = [
    fromEnvironment(env, cwd),
    ...(secrets?.sources ?? []),
    ...(dotEnv === undefined ? [] : [fromDotEnv(dotEnv, cwd, findings)]),
    ...(configJson === undefined ? [] : [fromConfigJson(configJson, cwd, findings)]),
  ];
  const { values, settings } = parseValues(sources, cwd, findings);
  const { problems, warnings } = findings;
  const result: ConfigResult =
    problems.length > 0
      ? { ok: false, problems, warnings }
      : { ok: true, config: toBridgeConfig(values, { settings, warnings }), warnings };
  return { settings, result };
}

/** Complete only when no problem was added to `findings`. */
function parseValues(
  sources: readonly Source[],
  cwd: string,
  findings: Findings,
): { values: OptionValues; settings: ToldSetting[] } {
  const settings: ToldSetting[] = [];
  const values: Partial<Record<keyof OptionValues, unknown>> = {};
  for (const [key, option] of optionEntries) {
    const defaults: Source = { name: 'default', baseDir: cwd, values: new Map([[key, option.default]]) };
    const own = pickSource(sources, key);
    settings.push(tellSetting(key, option, own));
    const source = own ?? pickSource([defaults], key);
    const raw = source?.values.get(key);
    if (source === undefined) continue;
    const parsed = option.parser.parse(raw, source.baseDir);
    if (parsed.ok) values[key] = parsed.value;
    else
      for (const wrong of parsed.wrong)
        findings.problems.push(toProblem(source.name, key, option, raw, wrong));
  }
  return { values: values as OptionValues, settings };
}

/** The source that a setting is taken from; undefined when it stands nowhere. */
function pickSource(sources: readonly Source[], key: string): Source | undefined {
  return sources.find(({ values }) => isSet(values.get(key)));
}

function isSet(raw: unknown): boolean {
  return raw !== undefined && raw !== null && (typeof raw !== 'string' || raw.trim() !== '');
}

function toProblem(source: string, key: string, option: Option, raw: unknown, wrong: WrongPart): string {
  const shown = wrong.shown ?? (option.secret === true ? '"***"' : show(raw));
  return `${source}: ${key}${wrong.part ?? ''} is ${shown}, allowed: ${wrong.allowed ?? option.parser.allowed}`;
}

/**
 * Reads `.env` of `cwd` and the config.json that `CONFIG` names (else the one in `cwd`, if there is one), then
 * `parseConfig`. A missing `.env` is fine, a missing file named by `CONFIG` is a problem. Never rejects for a bad file.
 */
export async function loadConfig(input: { env: Environment; cwd: string }): Promise<ConfigResult> {
  return (await loadToldConfig(input)).result;
}

/** As `loadConfig`, with every setting. */
export async function loadToldConfig({ env, cwd }: { env: Environment; cwd: string }): Promise<ToldConfig> {
  const dotEnv = await readConfigFile(join(cwd, '.env'));
  const { path, namedBy } = findConfigJson(env, dotEnv, cwd);
  const configJson = await readConfigFile(path, namedBy);
  const secrets = await readSecretFiles(env, cwd);
  return parseSources({ env, cwd, files: { dotEnv, configJson, secrets } });
}

/** Where config.json should lie, and which source says so. */
function findConfigJson(
  env: Environment,
  dotEnv: ConfigFile | undefined,
  cwd: string,
): { path: string; namedBy?: string } {
  // What is wrong in them is reported by `parseConfig`.
  const ignored: Findings = { problems: [], warnings: [] };
  const sources = [
    fromEnvironment(env, cwd),
    ...(dotEnv === undefined ? [] : [fromDotEnv(dotEnv, cwd, ignored)]),
  ];
  for (const { name, baseDir, values } of sources) {
    const path = values.get('CONFIG');
    if (typeof path === 'string' && isSet(path))
      return { path: resolve(baseDir, path.trim()), namedBy: name };
  }
  return { path: join(cwd, 'config.json') };
}

async function readConfigFile(path: string, namedBy?: string): Promise<ConfigFile | undefined> {
  try {
    return { path, text: await readFile(path, 'utf8') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT' && namedBy === undefined) return undefined;
    return { path, unreadable: namedBy === undefined ? code : `${code}; ${namedBy} names it as CONFIG` };
  }
}
