import { createHash } from 'node:crypto';

/**
 * Remembers work by its content key, bounded in bytes: the same picture made or encoded twice costs once. Benchmarks
 * live on this.
 */
export class PictureMemo {
  readonly #limit: number;
  readonly #entries = new Map<string, { value: unknown; bytes: number }>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get(key: string): unknown {
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: unknown, bytes: number): void {
    if (bytes > this.#limit) return;
    this.#bytes += bytes - (this.#entries.get(key)?.bytes ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { value, bytes });
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#limit) break;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }
}

/** A short content key of anything that prints. */
export function contentKey(...parts: (string | number | boolean | Uint8Array)[]): string {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(typeof part === 'object' ? part : `${part}\u0000`);
  return hash.digest('base64');
}
