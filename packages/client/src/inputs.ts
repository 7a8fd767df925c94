/** A file of this machine, in Node.js. */
export interface FilePath {
  path: string;
}

/**
 * What a file input takes. A `File`, `Blob`, bytes, a stream or (in Node.js) a path is uploaded before the job is submitted; a
 * text is the name that an upload was saved under or the id of an asset, and `{ asset }` is such an id as well.
 */
export type FileInput =
  | Blob
  | Uint8Array
  | ArrayBuffer
  | ReadableStream<Uint8Array>
  | FilePath
  | { asset: string }
  | { __type: 'core/ASSET'; info: { id: string } }
  | string;

/** `null` and `undefined`: the author's default. */
export type InputValue = string | number | bigint | boolean | FileInput | null | undefined;

/** Inputs by name, when nothing more is known of a workflow. */
export type AnyInputs = Record<string, InputValue>;

/** Inputs of a batch: a list, or `{ each: [...] }`, stands for one job for each of its values. */
export type Sweep<Inputs> = {
  [Name in keyof Inputs]: Inputs[Name] | readonly Inputs[Name][] | { each: readonly Inputs[Name][] };
};

/** A file that is still to be uploaded. */
export type NewFile = Blob | Uint8Array | ArrayBuffer | ReadableStream<Uint8Array> | FilePath;

/** The values of `inputs` as JSON: every new file becomes the id that `assets` has for it. */
export function toJsonInputs(
  inputs: Readonly<Record<string, unknown>>,
  assets: ReadonlyMap<NewFile, string>,
): Record<string, unknown> {
  function toJson(value: unknown): unknown {
    // 64 bit wide seeds are more than a JSON number holds here; the bridge reads numbers written as text.
    if (typeof value === 'bigint') return String(value);
    if (isNewFile(value)) return assets.get(value);
    if (Array.isArray(value)) return value.map(toJson);
    return hasEach(value) ? { each: value.each.map(toJson) } : value;
  }
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toJson(value)]));
}

/** Every file to upload, once, however often it is used. */
export function findNewFiles(inputs: Readonly<Record<string, unknown>>): NewFile[] {
  const values = Object.values(inputs).flatMap((value) => (hasEach(value) ? value.each : value));
  return [...new Set(values.filter(isNewFile))];
}

/** One job for each entry of a list, as lists that are read side by side; `null` leaves an input out. */
export function toSideBySide(
  list: readonly Readonly<Record<string, unknown>>[],
): Record<string, { each: unknown[] }> {
  const names = [...new Set(list.flatMap((inputs) => Object.keys(inputs)))];
  return Object.fromEntries(
    names.map((name) => [name, { each: list.map((inputs) => inputs[name] ?? null) }]),
  );
}

/** True when the inputs stand for more than one job. */
export function isSweep(inputs: Readonly<Record<string, unknown>>): boolean {
  return Object.values(inputs).some((value) => Array.isArray(value) || hasEach(value));
}

function hasEach(value: unknown): value is { each: readonly unknown[] } {
  return isObject(value) && 'each' in value && Array.isArray(value.each);
}

function isNewFile(value: unknown): value is NewFile {
  if (!isObject(value)) return false;
  const isContent = [Blob, Uint8Array, ArrayBuffer, ReadableStream].some((kind) => value instanceof kind);
  return isContent || ('path' in value && typeof value.path === 'string');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
