import type { Option, Section } from './option.ts';
import { optionEntries, sections } from './options.ts';

const width = 100;
const indent = 24;

/** The text of `--help`. `commands`: what the command line takes, in the words of its table. */
export function renderHelp(version: string, commands: string): string {
  const blocks = toSections().map(([title, entries]) =>
    [`${title}:`, ...entries.map(renderOption)].join('\n'),
  );
  return `${[
    `comfy-bridge ${version}: one API in front of many ComfyUI machines`,
    commands.trim(),
    wrap(
      'Each command tells more with --help, and docs/cli.md all of it. Without one the bridge starts. Every setting below can stand in the environment, in .env of the working directory, or in config.json; the first of them wins. Defaults are in brackets. docs/config.md tells more.',
      '',
    ),
    ...blocks,
  ].join('\n\n')}\n`;
}

function renderOption([key, option]: readonly [string, Option]): string {
  const text = wrap(`${option.description} [${toDefaultText(option)}]`, ' '.repeat(indent));
  const name = `  ${key}`;
  return name.length < indent - 1 ? name.padEnd(indent) + text.trimStart() : `${name}\n${text}`;
}

/** The text of docs/config.md. */
export function renderConfigDocs(): string {
  return `${[introduction, ...toSections().map(renderTable), servers, fileTypes].join('\n\n')}\n`;
}

function renderTable([title, entries]: readonly [string, readonly (readonly [string, Option])[]]): string {
  const rows = entries.map(([key, option]) =>
    [`\`${key}\``, toDefaultCell(option), escape(option.description), escape(option.parser.allowed)].join(
      ' | ',
    ),
  );
  return [
    `## ${title}`,
    '',
    '| Key | Default | Meaning | Allowed |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

const introduction = `# Settings

<!-- Generated from packages/bridge/src/config by \`node scripts/write-config-docs.ts\`. Change it there. -->

Each setting is taken from the first of these places that has it:

1. the environment,
2. \`.env\` in the working directory,
3. \`config.json\`: the file that \`CONFIG\` names, else the one in the working directory if there is one,
4. the default.

- Every key works in all three places, under the same name. Only \`CONFIG\` itself cannot stand in \`config.json\`.
- An empty value, or \`null\` in \`config.json\`, counts as not set.
- A relative path counts from the folder of the file that it stands in; in the environment and in defaults, from the
  working directory.
- A megabyte is 1024 × 1024 bytes. Seconds, hours, megabytes and megapixels may have fractions (\`0.5\`).
- A wrong value stops the start. All of them are reported at once, one line each: where it stands, the key, the value
  and what is allowed. An unknown key in \`config.json\` is only warned about.
- In \`.env\`, a value with \`#\` in it needs quotes.
- Secrets may stand in files of their own: \`OPERATOR_TOKEN_FILE\`, \`COMFYUI_SERVERS_FILE\` and \`WEBHOOK_SECRET_FILE\`, in the environment only,
  name the file that holds the value, as containers and service managers hand secrets in.

The \`.env\` and \`config.json\` of the original bridge work as they are.`;

const servers = `## COMFYUI_SERVERS

A comma-separated list. Each server is \`host:port\` or a URL; a name may stand before it, a token and a pin behind it:

\`\`\`
[name=]host:port[/base][;token=SECRET]
[name=]http(s)://host[:port][/base][;token=SECRET][;pin=sha256:BASE64]
\`\`\`

\`\`\`sh
COMFYUI_SERVERS="192.168.1.20:8188, 192.168.1.21:8188, [fd00::22]:8188"
COMFYUI_SERVERS="studio=https://comfy.example/gpu-1;token=SECRET, laptop=10.0.0.7:8188"
\`\`\`

- The name is what logs and the fleet view show: 1 to 64 letters, digits, \`.\`, \`_\`, \`-\`, each name once. Without one
  a server is called \`backend-1\`, \`backend-2\`, … by its place in the list.
- The token is sent as \`Authorization: Bearer …\`. A user name and password in the URL are refused.
- The pin, for https only, is the SHA-256 of the key in the server's certificate; a server with another one is not used, however well its
  certificate is signed. [operator.md](operator.md#machines-of-strangers) says how to get it.
- \`none\` is a fleet without servers. A plain address needs its port; ComfyUI's own is 8188. A URL without one means 80 or 443.

In \`config.json\` it can be a list of such texts, or of objects (the form for a token with a comma or semicolon in it):

\`\`\`json
{
  "COMFYUI_SERVERS": [
    "192.168.1.20:8188",
    { "name": "studio", "url": "https://comfy.example/gpu-1", "token": "SECRET", "pin": "sha256:IyqnS0lk+Jk6bV1zVkP0ZP2yCQn0b8m1sV2PSwYzPzM=" }
  ]
}
\`\`\``;

const fileTypes = `## ALLOWED_MIME_TYPE_EXTENSION_MAP

MIME types with the file name extensions that go with each. A file is refused unless its declared type, its extension
and its content agree and stand here.

\`\`\`json
{
  "ALLOWED_MIME_TYPE_EXTENSION_MAP": {
    "image/png": [".png"],
    "image/jpeg": [".jpg", ".jpeg"]
  }
}
\`\`\``;

function toSections(): (readonly [title: string, entries: (readonly [string, Option])[]])[] {
  return (Object.keys(sections) as Section[]).map((section) => [
    sections[section],
    optionEntries.filter(([, option]) => option.section === section),
  ]);
}

function toDefaultText(option: Option): string {
  return option.defaultText ?? option.default ?? 'not set';
}

function toDefaultCell(option: Option): string {
  const text = toDefaultText(option);
  return option.default === undefined && !text.startsWith('<') ? escape(text) : `\`${text}\``;
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');
}

/** Breaks at spaces; every line begins with `prefix`. */
function wrap(text: string, prefix: string): string {
  const lines: string[] = [];
  let line = prefix;
  for (const word of text.split(' ')) {
    if (line !== prefix && line.length + 1 + word.length > width) {
      lines.push(line);
      line = prefix;
    }
    line += line === prefix ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}
