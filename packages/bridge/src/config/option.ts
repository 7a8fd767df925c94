/** The parts of `BridgeConfig`; also the headings of `--help` and docs/config.md. */
export type Section =
  | 'server'
  | 'backends'
  | 'workflows'
  | 'files'
  | 'jobs'
  | 'client'
  | 'limits'
  | 'logging'
  | 'observability'
  | 'operator';

/** One wrong part of a value. What is left out is filled in from the option: the whole value, the parser's `allowed`. */
export interface WrongPart {
  /** Follows the key: ` item 2`, `["image/png"]`. */
  part?: string;
  /** The wrong part as it may be shown: already redacted. */
  shown?: string;
  allowed?: string;
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; wrong: readonly WrongPart[] };

export interface Parser<T> {
  /** Completes "allowed: …". */
  readonly allowed: string;
  /**
   * `raw` is text from the environment or `.env`, or any JSON value from config.json. `baseDir` is where relative paths
   * count from.
   */
  parse(raw: unknown, baseDir: string): Parsed<T>;
}

/** One setting: everything that the parser, `--help` and docs/config.md know about it. */
export interface Option<T = unknown> {
  readonly section: Section;
  readonly description: string;
  /** As one would write it in `.env`; undefined: not set. */
  readonly default: string | undefined;
  /** What to tell of the default where the text itself does not say it. */
  readonly defaultText?: string;
  readonly parser: Parser<T>;
  /** The value is never shown. */
  readonly secret?: boolean;
  /** May not stand in config.json. */
  readonly environmentOnly?: boolean;
}

/** The parsed type of an option; an option without a default may be undefined. */
export type OptionValue<O extends Option> =
  O extends Option<infer T> ? (O['default'] extends string ? T : T | undefined) : never;

export function accept<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function refuse(...wrong: WrongPart[]): Parsed<never> {
  return { ok: false, wrong: wrong.length === 0 ? [{}] : wrong };
}

const maxShown = 80;

/** A value as it stands in a problem line: quoted, on one line, cut when long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > maxShown ? `${text.slice(0, maxShown - 1)}…` : text;
}
