import { isRecord } from '../lib/is-record.ts';
import type { Option, Section } from './option.ts';
import type { Source } from './sources.ts';

/** A setting as an operator may be told of it. */
export interface ToldSetting {
  name: string;
  section: Section;
  description: string;
  /** As it is written where it comes from; of a secret `***`, of servers all but their tokens. Empty when it is not set. */
  value: string;
  default: string;
  source: 'default' | 'environment' | 'file';
  /** `default`, `environment`, or the path of the file. */
  from: string;
  secret: boolean;
}

const maxLength = 2_000;

/** `source`: where it is taken from; undefined when nothing but the default has it. */
export function tellSetting(name: string, option: Option, source: Source | undefined): ToldSetting {
  const { section, description, defaultText, secret = false } = option;
  const value =
    source === undefined ? (option.default ?? '') : toText(option, source.values.get(name), source.baseDir);
  return {
    ...{ name, section, description, secret },
    value: value.length > maxLength ? `${value.slice(0, maxLength - 1)}…` : value,
    default: defaultText ?? option.default ?? '',
    source: source === undefined ? 'default' : source.name === 'environment' ? 'environment' : 'file',
    from: source?.name ?? 'default',
  };
}

function toText(option: Option, raw: unknown, baseDir: string): string {
  if (option.secret === true) {
    const parsed = option.parser.parse(raw, baseDir);
    return parsed.ok && Array.isArray(parsed.value) ? parsed.value.map(showServer).join(', ') : '***';
  }
  return typeof raw === 'string' ? raw.trim() : (JSON.stringify(raw) ?? '');
}

/** A server of the fleet, without its token. */
function showServer(server: unknown): string {
  if (!isRecord(server)) return '***';
  const { name, url, token } = server;
  return `${String(name)}=${String(url)}${token === undefined ? '' : ';token=***'}`;
}
