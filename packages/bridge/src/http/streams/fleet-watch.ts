/** Looks at the fleet, in rounds, for what has changed since it was told. */
export interface FleetWatch {
  /** Remembers how things stand: whoever comes now reads that by itself. */
  remember(): void;
  look(tell: { changed(name: string, data: string): void; gone(name: string): void }): void;
  clear(): void;
}

/** `describe`: every backend as operators are told of it. */
export function createFleetWatch(describe: () => readonly { name: string }[]): FleetWatch {
  const told = new Map<string, string>();

  function look({ changed, gone }: Parameters<FleetWatch['look']>[0]): void {
    const there = new Set<string>();
    for (const backend of describe()) {
      const { name } = backend;
      there.add(name);
      const data = JSON.stringify(backend);
      if (told.get(name) === data) continue;
      told.set(name, data);
      changed(name, data);
    }
    for (const name of told.keys()) {
      if (there.has(name)) continue;
      told.delete(name);
      gone(name);
    }
  }

  return {
    look,
    remember: () => look({ changed: () => {}, gone: () => {} }),
    clear: () => told.clear(),
  };
}
