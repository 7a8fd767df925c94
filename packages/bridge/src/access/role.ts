import type { Role } from '@comfy-bridge/protocol';

/** What a route asks of its caller; `public`: nothing. */
export type Rule = 'public' | Role;

const ranks: Readonly<Record<Rule, number>> = { public: 0, client: 1, author: 2, operator: 3 };

/** Each role may do what those before it may: client < author < operator. */
export function hasRole(role: Role, needed: Rule): boolean {
  return ranks[role] >= ranks[needed];
}
