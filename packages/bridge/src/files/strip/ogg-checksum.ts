const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? 0x04c1_1db7 : 0);
  return value;
});

/** Of a page whose own checksum counts as zero (RFC 3533). */
export function checksumPage(page: Buffer): number {
  let checksum = 0;
  for (const byte of page) checksum = (checksum << 8) ^ (table[((checksum >>> 24) ^ byte) & 0xff] ?? 0);
  return checksum >>> 0;
}
