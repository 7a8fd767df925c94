/** A file as it is uploaded. */
export interface NamedBlob {
  blob: Blob;
  /** With an extension: the bridge checks that name and content agree. */
  name: string;
}

/** Where a type and the extension of its files have different names. */
const extensions: Readonly<Record<string, string>> = {
  jpeg: 'jpg',
  mpeg: 'mp3',
  plain: 'txt',
  quicktime: 'mov',
};

/** How files begin: the extension, and their first bytes as Latin-1 text. */
const beginnings: readonly (readonly [string, RegExp])[] = [
  ['png', /^\x89PNG/],
  ['jpg', /^\xff\xd8\xff/],
  ['gif', /^GIF8/],
  ['webp', /^RIFF....WEBP/s],
  ['wav', /^RIFF....WAVE/s],
  ['mp4', /^....ftyp/s],
  ['mp3', /^(ID3|\xff[\xf2\xf3\xfb])/],
];

/** The name of a `File`; for what has none, one after its type or, without that, its first bytes. */
export async function nameFile(blob: Blob): Promise<NamedBlob> {
  const { name } = blob as Partial<File>;
  if (name) return { blob, name };
  const subtype = /\/(?:x-)?([a-z0-9]+)/.exec(blob.type)?.[1] ?? 'octet';
  // `application/octet-stream` says nothing.
  const extension = subtype === 'octet' ? await sniff(blob) : subtype;
  return { blob, name: `input.${extensions[extension] ?? extension}` };
}

async function sniff(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.slice(0, 12).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  return beginnings.find(([, pattern]) => pattern.test(text))?.[0] ?? 'bin';
}
