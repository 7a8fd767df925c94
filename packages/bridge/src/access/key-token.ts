import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** A key as its holder sends it: `cbk_<id>_<secret><checksum>`. */
export interface KeyToken {
  /** 12 hex digits; names the key in lists and logs. */
  id: string;
  /** 256 random bits, base64url. */
  secret: string;
}

const pattern = /^cbk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})([0-9a-f]{8})$/;

export function createKeyId(): string {
  return randomBytes(6).toString('hex');
}

/** A new secret for a key: the whole text, and the digest that is kept of it. */
export function createKeyToken(id: string): { text: string; hash: string } {
  const secret = randomBytes(32).toString('base64url');
  return { text: `cbk_${id}_${secret}${checksum(id, secret)}`, hash: hashSecret(secret) };
}

/**
 * Undefined for what is no key at all. `mistyped`: it begins like one, and its checksum tells without a look at any key that
 * it was cut, or copied wrongly.
 */
export function parseKeyToken(text: string): KeyToken | 'mistyped' | undefined {
  if (!text.startsWith('cbk_')) return undefined;
  const [, id, secret, sum] = pattern.exec(text) ?? [];
  if (id === undefined || secret === undefined || sum !== checksum(id, secret)) return 'mistyped';
  return { id, secret };
}

/**
 * A plain digest is enough: nobody can go through 2^256 secrets, whatever a try costs. A slow one (scrypt, argon2) is for
 * passwords, which people choose, and would cost every request of honest callers.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function checksum(id: string, secret: string): string {
  return crc32(`${id}_${secret}`).toString(16).padStart(8, '0');
}
