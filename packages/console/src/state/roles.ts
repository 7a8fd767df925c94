import type { Role } from '@comfy-bridge/protocol';

const ranks: Readonly<Record<Role, number>> = { client: 1, author: 2, operator: 3 };

/** Each role may do what those before it may: client < author < operator. */
export function hasRole(role: Role, needed: Role): boolean {
  return ranks[role] >= ranks[needed];
}
