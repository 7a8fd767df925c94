import type { NodeDefinition, NodeDefinitions, NodeInputSpec } from './object-info.ts';
import { joinOptions } from './option-list.ts';
import type { Options } from './option-list.ts';
import type { PackedClass, PackedDefinition, PackedOffer } from './pack-object-info.ts';

/** A packed offer that is asked for piece by piece, in this thread or from another. */
export interface OfferSource {
  readonly signature: string;
  readonly classCount: number;
  classes(from: number, to: number): Promise<readonly PackedClass[]>;
  definitions(indexes: readonly number[]): Promise<readonly PackedDefinition[]>;
  /** For each list the hashes of its pieces. */
  lists(hashes: readonly string[]): Promise<readonly (readonly string[])[]>;
  pieces(hashes: readonly string[]): Promise<readonly Options[]>;
}

export function toOfferSource(offer: PackedOffer): OfferSource {
  return {
    signature: offer.signature,
    classCount: offer.classes.length,
    classes: async (from, to) => offer.classes.slice(from, to),
    definitions: async (indexes) => indexes.flatMap((index) => offer.definitions[index] ?? []),
    lists: async (hashes) => hashes.map((hash) => offer.lists.get(hash) ?? []),
    pieces: async (hashes) => hashes.map((hash) => offer.pieces.get(hash) ?? []),
  };
}

/**
 * What backends offer, kept once however many offer it: whole offers, node classes, lists of choices and pieces of lists,
 * each under the hash of its content. Holds nothing alive: what no backend uses any more is gone with the next garbage
 * collection, and its entry with it.
 */
export interface DefinitionPool {
  /** Asks the source only for what is not known, and in portions that take a few milliseconds each. */
  unpack(source: OfferSource): Promise<NodeDefinitions>;
  /** Entries, those of what was just dropped included. */
  size(): { offers: number; classes: number; lists: number; pieces: number };
}

/** Per portion. */
const most = { classes: 500, definitions: 100, definitionSize: 64 * 1024, lists: 100, pieces: 16 };

export function createDefinitionPool(): DefinitionPool {
  const offers = createWeakValues<NodeDefinitions>();
  const classes = createWeakValues<NodeDefinition>();
  const lists = createWeakValues<Options>();
  const pieces = createWeakValues<Options>();

  async function unpack(source: OfferSource): Promise<NodeDefinitions> {
    const known = offers.get(source.signature);
    if (known !== undefined) return known;
    const definitions = new Map<string, NodeDefinition>();
    for (let from = 0; from < source.classCount; from += most.classes) {
      const page = await source.classes(from, from + most.classes);
      const wanted: (PackedClass & { index: number })[] = [];
      for (const [offset, each] of page.entries()) {
        const definition = classes.get(each.hash);
        if (definition === undefined) wanted.push({ ...each, index: from + offset });
        else definitions.set(definition.classType, definition);
      }
      for (const portion of toPortions(wanted)) {
        const packed = await source.definitions(portion.map(({ index }) => index));
        const needed = await fetchLists(source, packed);
        for (const [at, each] of packed.entries()) {
          const definition = toDefinition(each, needed);
          definitions.set(definition.classType, definition);
          const wantedHash = portion[at]?.hash;
          if (wantedHash !== undefined) classes.set(wantedHash, definition);
        }
      }
    }
    // Another backend may have brought the same one meanwhile.
    return offers.get(source.signature) ?? offers.set(source.signature, definitions);
  }

  /** Every list that these definitions name. */
  async function fetchLists(
    source: OfferSource,
    packed: readonly PackedDefinition[],
  ): Promise<Map<string, Options>> {
    const found = new Map<string, Options>();
    const missing = new Set<string>();
    for (const { inputs } of packed)
      for (const { list } of inputs.values()) {
        if (list === undefined) continue;
        const known = lists.get(list);
        if (known === undefined) missing.add(list);
        else found.set(list, known);
      }
    for (const portion of inChunks([...missing], most.lists)) {
      const cuts = await source.lists(portion);
      const needed = await fetchPieces(source, cuts.flat());
      for (const [at, hash] of portion.entries()) {
        const parts = (cuts[at] ?? []).flatMap((piece) => [needed.get(piece) ?? []]);
        found.set(hash, lists.get(hash) ?? lists.set(hash, joinOptions(parts)));
      }
    }
    return found;
  }

  async function fetchPieces(source: OfferSource, hashes: readonly string[]): Promise<Map<string, Options>> {
    const found = new Map<string, Options>();
    const missing = new Set<string>();
    for (const hash of hashes) {
      const known = pieces.get(hash);
      if (known === undefined) missing.add(hash);
      else found.set(hash, known);
    }
    for (const portion of inChunks([...missing], most.pieces)) {
      const fetched = await source.pieces(portion);
      for (const [at, hash] of portion.entries())
        found.set(hash, pieces.get(hash) ?? pieces.set(hash, fetched[at] ?? []));
    }
    return found;
  }

  return {
    unpack,
    size: () => ({
      offers: offers.size(),
      classes: classes.size(),
      lists: lists.size(),
      pieces: pieces.size(),
    }),
  };
}

function toDefinition(
  { inputs: packed, ...definition }: PackedDefinition,
  lists: ReadonlyMap<string, Options>,
): NodeDefinition {
  const inputs = new Map<string, NodeInputSpec>();
  for (const [name, { list, ...spec }] of packed) {
    const options = list === undefined ? undefined : lists.get(list);
    inputs.set(name, options === undefined ? spec : { ...spec, options });
  }
  return { ...definition, inputs };
}

function* toPortions<T extends { size: number }>(items: readonly T[]): Generator<T[]> {
  let portion: T[] = [];
  let size = 0;
  for (const item of items) {
    if (
      portion.length > 0 &&
      (size + item.size > most.definitionSize || portion.length >= most.definitions)
    ) {
      yield portion;
      [portion, size] = [[], 0];
    }
    portion.push(item);
    size += item.size;
  }
  if (portion.length > 0) yield portion;
}

function* inChunks<T>(items: readonly T[], length: number): Generator<T[]> {
  for (let from = 0; from < items.length; from += length) yield items.slice(from, from + length);
}

interface WeakValues<V extends object> {
  get(key: string): V | undefined;
  set(key: string, value: V): V;
  size(): number;
}

/** A map that does not keep its values alive. */
function createWeakValues<V extends object>(): WeakValues<V> {
  const entries = new Map<string, WeakRef<V>>();
  const collected = new FinalizationRegistry<string>((key) => {
    // Another value may have come under its key since.
    if (entries.get(key)?.deref() === undefined) entries.delete(key);
  });
  return {
    get: (key) => entries.get(key)?.deref(),
    set(key, value) {
      entries.set(key, new WeakRef(value));
      collected.register(value, key);
      return value;
    },
    size: () => entries.size,
  };
}
