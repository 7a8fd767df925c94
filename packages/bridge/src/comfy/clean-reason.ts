const MAX_LENGTH = 500;
/** Only this much is looked at: the patterns below run over text that others wrote. */
const MAX_INPUT = 10_000;

/** Names of these kinds stay readable when their folder is taken away: a missing model is what the reader must know. */
const TELLING_NAME =
  /\.(?:safetensors|ckpt|pth?|bin|gguf|onnx|png|jpe?g|webp|gif|mp4|webm|mov|mkv|wav|mp3|flac|ogg|glb|latent)$/i;

// Over-strict on purpose where the two readings of a text differ: a leaked path is worse than a lost word.
const URL = /\b[a-z][a-z0-9+.-]*:\/\/[^\s'"<>]+/gi;
const HOST_ARGUMENT = /\bhost=(['"]?)[^\s'",)]+\1(?:,\s*port=\d+)?/gi;
const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g;
const IPV6 = /\[[0-9a-f:]*:[0-9a-f:.]*\](?::\d{1,5})?/gi;
const HOST_PORT = /\b(?:localhost(?::\d{1,5})?|[a-z0-9-]+(?:\.[a-z0-9-]+)+:\d{2,5})\b/gi;
const NAMED_HOST_PORT = /\b((?:to|host|at|from)\s+)[a-z0-9_-]+:\d{2,5}\b/gi;
const QUOTED_PATH = /(['"`])((?:~?\/|[a-z]:[\\/]|\\\\)[^'"`\n]*\w[^'"`\n]*)\1/gi;
const WINDOWS_PATH = /(?:\b[a-z]:[\\/]|\\\\[^\s\\]+\\)(?:[^\\/\n"'<>|:*?]+[\\/])*[^\s\\/"'<>|:*?,;)\]]*/gi;
const POSIX_PATH = /(?<![\w.)\]/-])~?\/(?:[^\s/'"`:;,<>|()[\]]+\/)*[^\s/'"`:;,<>|()[\]]+\/?/g;
const RELATIVE_PATH =
  /(?<![\w./-])[\w.@-]+(?:[\\/][\w.@-]+){2,}[\\/]?|(?<![\w./-])[\w.@-]+[\\/][\w.@-]+\.py\b/g;

/**
 * Makes somebody else's error text fit for a client: no file paths, addresses, tracebacks or control characters, on one line,
 * at most 500 characters. Slashes that mean something else (`6/width`, `1/2`, `and/or`) stay.
 */
export function cleanReason(text: string): string {
  const plain = withoutTraceback(withoutEscapes(text.slice(0, MAX_INPUT)));
  const clean = plain
    .replaceAll(URL, '[address]')
    .replaceAll(HOST_ARGUMENT, '[address]')
    .replaceAll(IPV4, '[address]')
    .replaceAll(IPV6, '[address]')
    .replaceAll(HOST_PORT, '[address]')
    .replaceAll(NAMED_HOST_PORT, '$1[address]')
    .replaceAll(QUOTED_PATH, (_match, quote: string, path: string) => quote + toName(path) + quote)
    .replaceAll(WINDOWS_PATH, toName)
    .replaceAll(POSIX_PATH, toName)
    .replaceAll(RELATIVE_PATH, toName)
    .replaceAll(/\s+/g, ' ')
    .trim();
  return clean.length > MAX_LENGTH ? `${clean.slice(0, MAX_LENGTH - 1).trimEnd()}…` : clean;
}

function toName(path: string): string {
  const name = path.split(/[\\/]/).at(-1) ?? '';
  return TELLING_NAME.test(name) ? name : '[path]';
}

/** Colours of a terminal, then every control character but the line's end and tab. */
function withoutEscapes(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/\u001b\[[0-9;?]*[a-z]/gi, '')
      .replaceAll('\r\n', '\n')
      .replaceAll(/[^\P{C}\n\t]/gu, ' ')
  );
}

const tracebackHeading = 'Traceback (most recent call last)';

/** Drops what Python prints between "Traceback" and the error itself, also where the heading was cut off. */
function withoutTraceback(text: string): string {
  const kept: string[] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    const isFrame = /^\s*File ["'].*, line \d+/.test(line);
    const heading = line.indexOf(tracebackHeading);
    if (isFrame || heading >= 0) {
      inside = true;
      // Others put their own words in front of it.
      if (heading > 0) kept.push(line.slice(0, heading));
    } else if (/^\s*[~^]+\s*$/.test(line)) continue;
    else if (!inside || !/^\s/.test(line)) {
      inside = false;
      kept.push(line);
    }
  }
  return kept.join('\n');
}
