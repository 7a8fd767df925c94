import { PythonError } from './python-values.ts';

const GIB = 1024 ** 3;

/** Which models sit in video memory; the one used longest ago makes room. */
export class LoadedModels {
  readonly #total: number;
  readonly #needs: Readonly<Record<string, number>>;
  readonly #loaded = new Map<string, number>();

  /** `needs`: bytes by model or node class, where they are not to be guessed. */
  constructor(totalBytes: number, needs: Readonly<Record<string, number>> = {}) {
    this.#total = totalBytes;
    this.#needs = needs;
  }

  /** Throws what torch throws when a node class or a model takes more than there is. */
  allocate(name: string): void {
    if ((this.#needs[name] ?? 0) <= this.#total) return;
    const message = 'Allocation on device 0 would exceed allowed memory. (out of memory)';
    throw new PythonError('torch.OutOfMemoryError', message);
  }

  /** Marks a model as used. True when it was not in memory, which is when loading takes time. */
  use(name: string): boolean {
    this.allocate(name);
    const known = this.#loaded.get(name);
    const size = known ?? this.#needs[name] ?? sizeOf(name);
    this.#loaded.delete(name);
    for (const oldest of this.#loaded.keys()) {
      if (this.freeBytes >= size) break;
      this.#loaded.delete(oldest);
    }
    this.#loaded.set(name, Math.min(size, this.#total));
    return known === undefined;
  }

  get freeBytes(): number {
    return Math.max(0, this.#total - [...this.#loaded.values()].reduce((sum, size) => sum + size, 0));
  }

  unloadAll(): void {
    this.#loaded.clear();
  }
}

/** Roughly what such a model takes: enough to tell a small one from a large one. */
function sizeOf(name: string): number {
  if (/\.pth$|esrgan|upscal/i.test(name)) return 0.07 * GIB;
  if (/flux|sd3/i.test(name)) return 11 * GIB;
  if (/xl/i.test(name)) return 6.5 * GIB;
  if (/lora/i.test(name)) return 0.15 * GIB;
  return 2 * GIB;
}
