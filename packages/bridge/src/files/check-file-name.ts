/** What a script or program calls itself; refused as any part of a name but the first, as in `x.php.png`. */
const runnable = new Set(
  (
    'exe bat cmd msi scr pif dll sys cpl vbs vbe wsf wsh hta ps1 psm1 lnk reg jar war class jnlp apk dmg ' +
    'php php3 php4 php5 php7 php8 phps phtml phar asp aspx ashx asmx cer jsp jspx cgi pl py pyc rb sh bash zsh csh ksh lua ' +
    'js mjs cjs jse htm html xhtml shtml mht mhtml svg svgz swf wasm htaccess'
  ).split(' '),
);

const controls = /\p{Cc}/u;
// Characters that reorder text on screen, so that `gpj.exe` can look like `exe.jpg`.
const reordering = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const deviceName = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

export type CheckedFileName = { ok: true; extension: string } | { ok: false; reason: string };

/** Checks the name that a client gave to a file. `extension` is lower case, with dot. */
export function checkFileName(fileName: string): CheckedFileName {
  const reason = findFault(fileName);
  if (reason !== undefined) return { ok: false, reason };
  return { ok: true, extension: fileName.slice(fileName.lastIndexOf('.')).toLowerCase() };
}

function findFault(fileName: string): string | undefined {
  if (fileName.trim() === '') return 'the file name is empty';
  if (Buffer.byteLength(fileName) > 255) return 'the file name is longer than 255 bytes';
  if (!fileName.isWellFormed() || controls.test(fileName)) return 'the file name holds control characters';
  if (reordering.test(fileName)) return 'the file name holds characters that hide its real extension';
  if (/[/\\]/.test(fileName)) return 'the file name holds a path; send the bare name';
  if (/[. ]$/.test(fileName)) return 'the file name ends with a dot or a space';
  const parts = fileName.split(/[.:;]/).map((part) => part.trim().toLowerCase());
  if (deviceName.test(parts[0] ?? '')) return 'the file name is reserved by an operating system';
  if (fileName.lastIndexOf('.') < 1) return 'the file name has no extension';
  const inner = parts.slice(1).find((part) => runnable.has(part));
  if (inner !== undefined) return `the file name holds the extension of a program or script (.${inner})`;
  return undefined;
}

/** Makes a usable name of what an untrusted ComfyUI calls a file: bare, without control characters, of bounded length. */
export function cleanFileName(fileName: string): string {
  const bare = (fileName.toWellFormed().split(/[/\\]/).at(-1) ?? '')
    .replace(/\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '_')
    .trim();
  if (Buffer.byteLength(bare) <= 200) return bare;
  const dot = bare.lastIndexOf('.');
  const extension = dot > 0 && bare.length - dot <= 16 ? bare.slice(dot) : '';
  let stem = '';
  for (const character of bare) {
    if (Buffer.byteLength(stem + character + extension) > 200) break;
    stem += character;
  }
  return stem + extension;
}
