/** A set that remembers only the newest `limit` members. */
export interface RecentSet<T> {
  add(member: T): void;
  has(member: T): boolean;
  delete(member: T): void;
}

export function createRecentSet<T>(limit: number): RecentSet<T> {
  const members = new Set<T>();
  return {
    add(member) {
      members.add(member);
      if (members.size <= limit) return;
      for (const oldest of members) {
        members.delete(oldest);
        return;
      }
    },
    has: (member) => members.has(member),
    delete: (member) => void members.delete(member),
  };
}
