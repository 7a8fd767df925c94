import { pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** Write it as `logger.info({ jobId }, 'constant message')`; parts get `logger.child({ part: 'scheduling' })`. */
export type Logger = PinoLogger;

export interface LoggerOptions {
  level: 'silent' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** `auto`: pretty on a terminal, else JSON lines. */
  format: 'auto' | 'json' | 'pretty';
  /** Default: stdout. */
  destination?: DestinationStream;
}

/** Bytes that may wait for a reader of stdout that has stopped; what is beyond is dropped rather than kept. */
const maxWaitingBytes = 8 * 1024 * 1024;

/** The root logger. Secrets are hidden at any depth, by key and inside of texts. Starts no thread. */
export function createLogger({ level, format, destination }: LoggerOptions): Logger {
  const isPretty =
    format === 'pretty' || (format === 'auto' && destination === undefined && process.stdout.isTTY);
  const stream = destination ?? createStdout({ sync: isPretty });
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: hideFields },
      serializers: { err: (error: unknown) => hideDeep(stdSerializers.err(toError(error)), 0) },
      hooks: { streamWrite: hideInLine },
    },
    isPretty ? createPrettyStream(stream, destination === undefined) : stream,
  );
}

/** On a terminal each line is written at once; else a log reader that stops must not stop the bridge. */
function createStdout({ sync }: { sync: boolean }): DestinationStream {
  // Pino writes out what still waits when the process ends.
  const stream = pino.destination({ dest: 1, sync, ...(sync ? {} : { maxLength: maxWaitingBytes }) });
  // A log that cannot be written (a full disk behind stdout) is no reason to stop working.
  stream.on('error', () => {});
  return stream;
}

function createPrettyStream(destination: DestinationStream, mayColorize: boolean): DestinationStream {
  const format = prettyFactory({
    // Left out, it follows the terminal and NO_COLOR.
    ...(mayColorize ? {} : { colorize: false }),
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{if part}[{part}] {end}{msg}',
    ignore: 'part',
  });
  return { write: (line) => destination.write(format(withoutControls(line))) };
}

const secretKey = /(authorization|cookie|password|secret|token|api[-_]?key)$/i;
const maxDepth = 6;

function hideFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, hideEntry(key, value, 0)]));
}

function hideEntry(key: string, value: unknown, depth: number): unknown {
  return secretKey.test(key) && value !== undefined && value !== null ? '***' : hideDeep(value, depth);
}

function hideDeep(value: unknown, depth: number): unknown {
  if (!isPlain(value)) return value;
  if (depth === maxDepth) return '…';
  if (Array.isArray(value)) return value.map((item) => hideDeep(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, hideEntry(key, item, depth + 1)]),
  );
}

/** Lists and plain objects. Errors have their serializer, and what has a `toJSON` tells itself what to show. */
function isPlain(value: unknown): value is Record<string, unknown> | unknown[] {
  if (typeof value !== 'object' || value === null || value instanceof Error) return false;
  return !('toJSON' in value);
}

/**
 * For what the formatters do not see (messages, child bindings, texts): passwords in URLs, secret query parameters,
 * bearer tokens, and texts under a secret key. No pattern may eat a quote or a backslash, or the line is no JSON any more.
 */
function hideInLine(line: string): string {
  return line
    .replace(
      /"([\w-]*(?:authorization|cookie|password|secret|token|api[-_]?key))":"(?:[^"\\]|\\.)*"/gi,
      '"$1":"***"',
    )
    .replace(/(\/\/)[^/\s"\\]+@/g, '$1***@')
    .replace(/([?&;][\w-]*(?:token|secret|password|api_?key|signature)=)[^&;\s"'\\]+/gi, '$1***')
    .replace(/\b(Bearer\s+)[\w.~+/=-]+/gi, '$1***')
    .replace(rawControls, '');
}

/** What JSON leaves as it is, and terminals and people may read as something else. */
const rawControls = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Escapes of JSON that would be raw control characters once parsed; line ends and tabs stay, and so does a backslash that is escaped. */
function withoutControls(line: string): string {
  return line.replace(/\\(?:\\|u00[01][0-9a-f]|[bfr])/gi, (escape) => (escape === '\\\\' ? escape : ''));
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
