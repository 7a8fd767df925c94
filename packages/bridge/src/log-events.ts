import type { Events } from './events.ts';
import type { Logger } from './logging.ts';

/** One log line per fact, all in one place; parts log only what they alone know. Returns how to stop. */
export function logEvents({ events, log }: { events: Events; log: Logger }): () => void {
  const unsubscribe = [
    events.on('job:queued', ({ job }) => {
      log.info(
        { jobId: job.id, clientId: job.clientId, workflow: job.workflow, attempt: job.attempt },
        'job queued',
      );
    }),
    events.on('job:assigned', ({ job }) => {
      const backend = 'backend' in job.state ? job.state.backend : null;
      log.info({ jobId: job.id, backend, attempt: job.attempt }, 'job assigned');
    }),
    events.on('job:hedged', ({ job }) => {
      log.info({ jobId: job.id, backend: job.hedge?.backend }, 'job takes long, and runs a second time');
    }),
    events.on('job:finished', ({ job }) => {
      const { id, state, createdAt, startedAt, finishedAt, attempt, workflow } = job;
      // Null where none ran it to its end.
      const backend = startedAt === null ? null : (job.attempts.at(-1)?.backend ?? null);
      const queuedMs = startedAt === null ? null : startedAt - createdAt;
      const ranMs = startedAt === null || finishedAt === null ? null : finishedAt - startedAt;
      const error = state.status === 'failed' ? state.error : undefined;
      log.info(
        { jobId: id, workflow, backend, status: state.status, attempt, queuedMs, ranMs, error },
        'job finished',
      );
    }),
    events.on('job:delivered', ({ job }) => log.info({ jobId: job.id }, 'job delivered')),
    events.on('job:expired', ({ job }) => log.info({ jobId: job.id }, 'job expired')),
    events.on('job:forgotten', ({ job }) => log.debug({ jobId: job.id }, 'job forgotten')),
    events.on('attempt:lost', ({ job, backend, attempt, kind, reason }) => {
      log.warn({ jobId: job.id, backend, attempt, kind, reason }, 'attempt lost');
    }),
    events.on('backend:ready', ({ backend, version, nodeClasses }) => {
      log.info({ backend, version, nodeClasses }, 'backend ready');
    }),
    events.on('workflow:requirements', ({ workflow, tags }) => {
      log.info({ workflow, tags }, 'workflow requirements changed');
    }),
    events.on('workflow:published', ({ workflow, version, by }) => {
      log.info({ workflow, version, by }, version === null ? 'workflow removed' : 'workflow published');
    }),
    events.on('backend:added', ({ backend }) => log.info({ backend }, 'backend added')),
    events.on('backend:removed', ({ backend }) => log.info({ backend }, 'backend removed')),
    events.on('backend:suspected', ({ backend, lacks }) => {
      log.warn({ backend, lacks }, 'backend lists what it does not have');
    }),
    events.on('backend:lending', ({ backend, isPaused, reason, until }) => {
      if (isPaused) log.info({ backend, reason, until }, 'backend paused by its owner');
      else log.info({ backend }, 'backend lent again');
    }),
    events.on('backend:lost', ({ backend, reason }) => log.warn({ backend, reason }, 'backend lost')),
    events.on('backend:doubted', ({ backend, kind, detail, difference }) => {
      log.warn({ backend, kind, detail, difference }, 'backend doubted');
    }),
    events.on('backend:quarantined', ({ backend, reason }) => {
      log.error({ backend, reason }, 'backend quarantined: it gets no jobs until an operator resumes it');
    }),
    events.on('backend:believed', ({ backend }) => log.info({ backend }, 'backend believed again')),
    events.on('connections:refused', ({ count, open, address }) => {
      log.warn(
        { count, open, address },
        address === null
          ? 'connections refused: MAX_CONNECTIONS are open'
          : 'connections refused: LIMIT_CONNECTIONS of one address are open; a proxy belongs into TRUST_PROXY',
      );
    }),
  ];
  return () => unsubscribe.forEach((off) => off());
}
