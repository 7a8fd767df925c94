import type { NodeInputSpec } from './object-info.ts';

export type Options = NonNullable<NodeInputSpec['options']>;
export type Option = Options[number];

/** The pieces that a list was joined from: what two lists share is the same piece. */
const piecesOf = new WeakMap<Options, readonly Options[]>();

/** A list of choices from shared pieces. It keeps them alive. */
export function joinOptions(pieces: readonly Options[]): Options {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const options = pieces.flat();
  piecesOf.set(options, pieces);
  return options;
}

/** All choices of several lists, each once, in the order of their first appearance. Costs what differs between them. */
export function uniteOptions(lists: Iterable<Options>): Options {
  const pieces = new Set<Options>();
  for (const list of lists) for (const piece of piecesOf.get(list) ?? [list]) pieces.add(piece);
  const options = new Set<Option>();
  for (const piece of pieces) for (const option of piece) options.add(option);
  return [...options];
}

/** A piece is rarely longer than its average, and never longer than this. */
const longestPiece = 1_024;
/** One in so many choices is the last of its piece. */
const averagePiece = 128;

/**
 * Cuts a list into pieces at places that depend on what stands there and not on how far from the start it is: two lists that
 * differ by a few choices share all other pieces.
 */
export function cutOptions(options: Options): Options[] {
  const pieces: Options[] = [];
  let start = 0;
  for (const [index, option] of options.entries()) {
    const length = index + 1 - start;
    if (length < longestPiece && !isLastOfPiece(option)) continue;
    pieces.push(options.slice(start, index + 1));
    start = index + 1;
  }
  if (start < options.length || options.length === 0) pieces.push(options.slice(start));
  return pieces;
}

/** By the FNV-1a hash of its text. */
function isLastOfPiece(option: Option): boolean {
  const text = String(option);
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  // The low bits alone are weak.
  return ((hash ^ (hash >>> 15)) & (averagePiece - 1)) === 0;
}
