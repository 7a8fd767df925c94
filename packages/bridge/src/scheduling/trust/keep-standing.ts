import type { FleetChanges } from '../../backends/change-fleet.ts';
import type { Backend } from '../../backends/fleet.ts';
import { findQuarantine, noteNews } from '../../backends/standing.ts';
import type { StandingNews } from '../../backends/standing.ts';
import type { Events } from '../../events.ts';

export interface KeepStandingDeps {
  changes: Pick<FleetChanges, 'quarantine'>;
  events: Events;
  now: () => number;
}

/** Writes down what a check of its results has shown of a backend, and draws the consequence. */
export async function keepStanding(
  { changes, events, now }: KeepStandingDeps,
  backend: Backend,
  news: StandingNews,
): Promise<void> {
  backend.standing = noteNews(backend.standing, news);
  if (!('evidence' in news)) return;
  const { kind, detail, difference } = news.evidence;
  events.emit('backend:doubted', { backend: backend.name, kind, detail, difference });
  const quarantine = findQuarantine(backend.standing, now());
  if (quarantine !== undefined) await changes.quarantine(backend.name, quarantine);
}
