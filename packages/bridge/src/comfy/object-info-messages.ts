import type { Options } from './option-list.ts';
import type { PackedClass, PackedDefinition } from './pack-object-info.ts';

/** To the thread that reads `/object_info`. Each is answered before the next is sent, but for `close`. */
export type ToReader =
  /** The body of an answer in blocks; `unless`: the hash of the body that is known already. */
  | { kind: 'open'; blocks: readonly Uint8Array<ArrayBuffer>[]; unless: string | undefined }
  | { kind: 'classes'; from: number; to: number }
  | { kind: 'definitions'; indexes: readonly number[] }
  | { kind: 'lists'; hashes: readonly string[] }
  | { kind: 'pieces'; hashes: readonly string[] }
  /** What was opened last can be forgotten. */
  | { kind: 'close' };

export type FromReader =
  | { kind: 'same' }
  | { kind: 'unusable'; problem: string }
  | { kind: 'opened'; bodyHash: string; signature: string; classCount: number }
  | { kind: 'classes'; classes: readonly PackedClass[] }
  | { kind: 'definitions'; definitions: readonly PackedDefinition[] }
  | { kind: 'lists'; lists: readonly (readonly string[])[] }
  | { kind: 'pieces'; pieces: readonly Options[] };
