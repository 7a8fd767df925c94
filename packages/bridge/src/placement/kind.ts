import type { Work } from './cost-model.ts';
import type { Needs } from './needs.ts';

/** Jobs that are the same to the placement: same workflow, size and needs. One object each, compared by identity. */
export interface Kind {
  readonly work: Work;
  readonly needs: Needs;
}

export interface Kinds {
  intern(workflow: string, sizeClass: number, needs: Needs): Kind;
}

const maxKinds = 10_000;

export function createKinds(): Kinds {
  const kinds = new Map<string, Kind>();
  return {
    intern(workflow, sizeClass, needs) {
      const key = JSON.stringify([workflow, sizeClass, needs.key]);
      const known = kinds.get(key);
      if (known !== undefined) return known;
      const kind: Kind = { work: { workflow, sizeClass, models: needs.models }, needs };
      // One that is forgotten only costs a second object of the same meaning.
      if (kinds.size >= maxKinds) kinds.clear();
      kinds.set(key, kind);
      return kind;
    },
  };
}
