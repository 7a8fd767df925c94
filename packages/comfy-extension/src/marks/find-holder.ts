import type { GraphLike, NodeLike } from './graph-types.ts';
import { slotOf } from './input-links.ts';
import { findWidget, resolveTargets } from './resolve-targets.ts';
import { isSubgraphNode, isUnknownNode, listPlaces } from './walk-graph.ts';
import type { Place } from './walk-graph.ts';

/** What a mark is put on: a node and the name of one of its widgets. */
export interface Holder {
  node: NodeLike;
  name: string;
}

export interface HolderIndex {
  places: readonly Place[];
  /** By execution id. */
  byPath: ReadonlyMap<string, Place>;
  /** The outermost promoted widget that sets an input, by the input's key. */
  promoted: ReadonlyMap<string, Holder>;
}

export function indexHolders(rootGraph: GraphLike): HolderIndex {
  const places = listPlaces(rootGraph);
  const promoted = new Map<string, Holder>();
  // An outer instance comes before what is inside it.
  for (const place of places) {
    if (!isSubgraphNode(place.node)) continue;
    for (const { name } of place.node.widgets ?? [])
      for (const target of resolveTargets(place, name)) {
        const key = `${target.place.path}/${target.inputName}`;
        if (!promoted.has(key)) promoted.set(key, { node: place.node, name });
      }
  }
  return { places, byPath: new Map(places.map((place) => [place.path, place])), promoted };
}

/** Where the mark of an inner input belongs: on the promoted widget that sets it, else on the node itself. */
export function findHolder(index: HolderIndex, place: Place, inputName: string): Holder | undefined {
  const promoted = index.promoted.get(`${place.path}/${inputName}`);
  if (promoted !== undefined) return promoted;
  const { node } = place;
  const isThere = findWidget(node, inputName) !== undefined || slotOf(node, inputName) >= 0;
  // Marks of a class that is not installed must not get lost.
  return isThere || isUnknownNode(node) ? { node, name: inputName } : undefined;
}
