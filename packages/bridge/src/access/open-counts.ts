/** How many of something each name has open. Only names with some are remembered. */
export interface OpenCounts {
  /** Undefined when there are `limit` already; call what is returned when it is over, once or more. */
  take(name: string, limit: number): (() => void) | undefined;
  of(name: string): number;
}

export function createOpenCounts(): OpenCounts {
  const counts = new Map<string, number>();
  return {
    take(name, limit) {
      const open = counts.get(name) ?? 0;
      if (open >= limit) return undefined;
      counts.set(name, open + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        const left = (counts.get(name) ?? 1) - 1;
        if (left > 0) counts.set(name, left);
        else counts.delete(name);
      };
    },
    of: (name) => counts.get(name) ?? 0,
  };
}
