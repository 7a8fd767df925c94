import type { Edit } from './edits.ts';

/** What is to be taken out of a file, or why nobody can tell. */
export type StripPlan = { ok: true; edits: readonly Edit[] } | { ok: false; reason: string };
