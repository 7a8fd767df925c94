import type { NodeDefinition, NodeDefinitions } from '../comfy/object-info.ts';
import { mergeDefinitions } from './merge-definitions.ts';

/** What all backends together offer, put together per node class when somebody asks. */
export interface FleetDefinitions {
  /** Grows whenever what a backend offers changes, or a backend that offered something leaves. */
  readonly version: number;
  changed(): void;
  find(classType: string): NodeDefinition | undefined;
}

/** Classes that published workflows name; a fleet has a few thousand. */
const maxKnown = 50_000;

export function createFleetDefinitions(
  backends: readonly { definitions: NodeDefinitions | undefined }[],
): FleetDefinitions {
  let version = 0;
  /** Of all backends, each once: most of a large fleet offers the same. */
  let offers: readonly NodeDefinitions[] = [];
  let offersOf = version;
  const known = new Map<
    string,
    { version: number; sources: ReadonlySet<NodeDefinition>; merged: NodeDefinition | undefined }
  >();

  function currentOffers(): readonly NodeDefinitions[] {
    if (offersOf === version) return offers;
    const distinct = new Set<NodeDefinitions>();
    for (const { definitions } of backends) if (definitions !== undefined) distinct.add(definitions);
    [offers, offersOf] = [[...distinct], version];
    return offers;
  }

  return {
    get version() {
      return version;
    },
    changed() {
      version += 1;
    },
    find(classType) {
      const last = known.get(classType);
      if (last?.version === version) return last.merged;
      const sources = new Set<NodeDefinition>();
      for (const offer of currentOffers()) {
        const definition = offer.get(classType);
        if (definition !== undefined) sources.add(definition);
      }
      // What changed somewhere was most likely another class.
      const merged =
        last !== undefined && isSameSequence(last.sources, sources) ? last.merged : mergeDefinitions(sources);
      if (known.size >= maxKnown) known.clear();
      known.set(classType, { version, sources, merged });
      return merged;
    },
  };
}

function isSameSequence(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>): boolean {
  if (a.size !== b.size) return false;
  const others = b.values();
  for (const item of a) if (item !== others.next().value) return false;
  return true;
}
