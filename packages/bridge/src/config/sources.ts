import { dirname, isAbsolute, relative } from 'node:path';
import { parseEnv } from 'node:util';

import { isRecord } from '../lib/is-record.ts';
import { findJsonError } from './json-error.ts';
import { findNearestKey } from './nearest-key.ts';
import { show } from './option.ts';
import { optionEntries } from './options.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A file as it was found: its text, or why it could not be read. */
export type ConfigFile = { path: string; text: string } | { path: string; unreadable: string };

/** A place that settings come from. */
export interface Source {
  /** As it stands in problem lines: `environment`, or the file's path. */
  name: string;
  /** Where its relative paths count from. */
  baseDir: string;
  values: ReadonlyMap<string, unknown>;
}

/** What a source has to say beside its values. */
export interface Findings {
  problems: string[];
  warnings: string[];
}

const knownKeys = optionEntries.map(([key]) => key);
const isKnown = (key: string) => knownKeys.some((known) => known === key);

export function fromEnvironment(env: Environment, cwd: string): Source {
  const values = knownKeys.map((key) => [key, env[key]] as const);
  return { name: 'environment', baseDir: cwd, values: new Map(values) };
}

export function fromDotEnv(file: ConfigFile, cwd: string, findings: Findings): Source {
  const source = { name: toShownPath(file.path, cwd), baseDir: dirname(file.path) };
  if ('unreadable' in file) {
    findings.problems.push(`${source.name}: cannot be read (${file.unreadable})`);
    return { ...source, values: new Map() };
  }
  const values = new Map<string, unknown>(Object.entries(parseEnv(stripByteOrderMark(file.text))));
  for (const key of values.keys()) {
    // A .env is often shared with other programs, so that a strange key alone means nothing.
    const nearest = isKnown(key) ? undefined : findNearestKey(key, knownKeys);
    if (nearest !== undefined) findings.warnings.push(toUnknownKeyWarning(source.name, key, nearest));
  }
  return { ...source, values };
}

export function fromConfigJson(file: ConfigFile, cwd: string, findings: Findings): Source {
  const source = { name: toShownPath(file.path, cwd), baseDir: dirname(file.path) };
  const values = new Map<string, unknown>(Object.entries(parseConfigJson(file, source.name, findings)));
  for (const key of values.keys()) {
    if (!isKnown(key))
      findings.warnings.push(toUnknownKeyWarning(source.name, key, findNearestKey(key, knownKeys)));
  }
  for (const [key, option] of optionEntries) {
    if (option.environmentOnly !== true || !values.delete(key)) continue;
    findings.warnings.push(`${source.name}: ${key} is ignored here; it may stand in the environment or .env`);
  }
  return { ...source, values };
}

function parseConfigJson(file: ConfigFile, name: string, findings: Findings): Record<string, unknown> {
  if ('unreadable' in file) {
    findings.problems.push(`${name}: cannot be read (${file.unreadable})`);
    return {};
  }
  const text = stripByteOrderMark(file.text);
  const error = findJsonError(text);
  if (error !== undefined) {
    findings.problems.push(
      `${name}: not valid JSON at line ${error.line}, column ${error.column}, expected ${error.expected}`,
    );
    return {};
  }
  const value: unknown = JSON.parse(text);
  if (isRecord(value)) return value;
  findings.problems.push(
    `${name}: holds ${Array.isArray(value) ? 'a list' : show(value)}, allowed: an object of settings`,
  );
  return {};
}

function toUnknownKeyWarning(source: string, key: string, nearest: string | undefined): string {
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return `${source}: ${show(key)} is unknown and ignored${hint}`;
}

/** Short for what lies in the working directory, whole for the rest. */
function toShownPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}

function stripByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
