/** The types that a browser shows as a picture and nothing else, by their first bytes. */
const signatures: readonly (readonly [contentType: string, pattern: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
  ['image/bmp', /^BM/],
  ['image/avif', /^[^]{4}ftypavi[fs]/],
];

/** What a picture is; undefined for anything that is not surely one (an SVG may hold a script). */
export function pictureType(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, 16);
  return signatures.find(([, pattern]) => pattern.test(head))?.[0];
}
