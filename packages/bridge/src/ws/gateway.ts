import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

import type { CompatFrame, CompatFrameExtras, Progress } from '@comfy-bridge/protocol';
import { WebSocketServer } from 'ws';

import type { Events } from '../events.ts';
import {
  compatFrame,
  connectedFrame,
  describeJob,
  listeningFrame,
  timeOutMessage,
} from '../jobs/compat-view.ts';
import { isTerminal } from '../jobs/job.ts';
import type { Job, JobId } from '../jobs/job.ts';
import type { JobLedger } from '../jobs/job-ledger.ts';
import { visitInSlices } from '../lib/in-slices.ts';
import { createRecentSet } from '../lib/recent-set.ts';
import type { Logger } from '../logging.ts';
import { createClientLeases } from './client-leases.ts';
import { Session } from './session.ts';
import { answerRefused, readUpgrade } from './upgrade.ts';
import type { UpgradeDeps } from './upgrade.ts';

export interface GatewayDeps extends UpgradeDeps {
  server: Server;
  ledger: JobLedger;
  events: Events;
  cancel(id: JobId, reason: string): Promise<unknown>;
  /** The fields that `events=2` adds. */
  extrasOf(job: Job, progress: Progress | undefined): CompatFrameExtras;
  /** The newest preview of a running job. */
  previewOf(job: Job): Buffer | undefined;
  /** Sequence number of the newest event of a job. */
  positionOf(job: Job): number;
  log: Logger;
  now: () => number;
}

export interface GatewayOptions {
  /** Path of the endpoint, with the base path if there is one. */
  path: string;
  heartbeatMs: number;
  /** A client that submits nothing for this long is let go. */
  idleLimitMs: number;
  graceMs: number;
  pingMs?: number;
}

export interface Gateway {
  isConnected(clientId: string): boolean;
  openSockets(): number;
  /** The lease that a client's open sockets ask for, in ms; null without a socket, or when one keeps its jobs for good. */
  leaseOf(clientId: string): number | null;
  /** Jobs of an earlier process, whose clients had sockets there: each has its lease to come back. */
  expectBack(jobs: Iterable<Job>): void;
  /** True while somebody wants to see previews of that client's job. */
  wantsPreviews(clientId: string | null): boolean;
  /** Lets go of those whose keys are over. */
  dropUnwelcome(): void;
  close(): void;
}

/** A client whose bridge was restarted has at least this long to connect again. */
const leastReturnMs = 3_000;
/** The documented clients send nothing; anything larger is refused with close code 1009. */
const maxPayload = 64 * 1024;

/** Of thousands of sockets that get their heartbeat or ping at a time, so many per turn of the event loop. */
const sliceSize = 100;
const listeningText = JSON.stringify(listeningFrame);

/** `/ws?clientId=…`: upgrade, heartbeat, and the way of every job event to the sockets of its client. */
export function createGateway(deps: GatewayDeps, options: GatewayOptions): Gateway {
  const { server, ledger, events, log, now } = deps;
  const sessions = new Map<string, Set<Session>>();
  /** Jobs whose end was told on a socket: a later socket under the same clientId waits for the next job. */
  const told = createRecentSet<JobId>(10_000);
  /** Sockets that were told the end of a job and have not closed yet. */
  const ending = new Map<Session, JobId>();
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
  });
  const closed = new AbortController();
  const leases = createClientLeases({ graceMs: options.graceMs, giveUp });

  function giveUp(clientId: string, leftAt: number): void {
    void (async () => {
      const job = await ledger.latestOf(clientId);
      if (job === undefined || isTerminal(job.state.status)) return;
      // Made without a socket, after the last one was gone: its client polls.
      if (job.createdAt > leftAt) return;
      await deps.cancel(job.id, 'its client went away');
    })().catch((error: unknown) =>
      log.error({ err: error, clientId }, 'could not give up the job of a client that left'),
    );
  }

  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const upgrade = readUpgrade(deps, request, options.path);
    if (!upgrade.ok) return answerRefused(socket, upgrade);
    const { clientId, wishes, isGood, leave } = upgrade;
    // Also of one that never becomes a WebSocket.
    socket.once('close', leave);
    wss.handleUpgrade(request, socket, head, (ws) => {
      open(new Session(ws, { clientId, ...wishes, isGood, now }, onGone));
    });
  }

  function open(session: Session): void {
    const peers = sessions.get(session.clientId) ?? new Set();
    sessions.set(session.clientId, peers.add(session));
    leases.attach(session.clientId);
    session.send(connectedFrame);
    catchUpSoon(session);
  }

  function catchUpSoon(session: Session): void {
    void catchUp(session).catch((error: unknown) => log.error({ err: error }, 'could not catch up a socket'));
  }

  /** A client that comes (back) while its job is under way, or ended unheard, is told where it stands. */
  async function catchUp(session: Session): Promise<void> {
    const job = await ledger.latestOf(session.clientId);
    if (job === undefined) return;
    // A client that says what it has heard is told the rest; of any other we can only know what it was sent.
    if (session.after === undefined ? told.has(job.id) : deps.positionOf(job) <= session.after) return;
    if (isTerminal(job.state.status)) {
      if (job.state.status !== 'expired' && job.deliveredAt === null) tellEnd(job, [session]);
    } else if (job.state.status === 'running' || session.extended) {
      session.sendProgress(frameFor(session, job));
      const preview = session.previews ? deps.previewOf(job) : undefined;
      if (preview !== undefined) session.sendPreview(preview);
    }
  }

  function onGone(session: Session, wasClosed: boolean): void {
    const peers = sessions.get(session.clientId);
    peers?.delete(session);
    if (peers?.size === 0) sessions.delete(session.clientId);
    // One that we let go was over then, however long its goodbye takes: what came after has nothing to do with it.
    leases.detach(session.clientId, session.closedAt ?? now(), session.graceMs);
    const heard = ending.get(session);
    ending.delete(session);
    // Cut instead of closed: what was sent last may never have arrived.
    if (heard !== undefined && !wasClosed) {
      told.delete(heard);
      for (const peer of peers ?? []) catchUpSoon(peer);
    }
  }

  function sessionsOf(job: Job): Iterable<Session> {
    return (job.clientId === null ? undefined : sessions.get(job.clientId)) ?? [];
  }

  function frameFor(session: Session, job: Job): CompatFrame {
    const progress = ledger.progressOf(job.id);
    const frame = describeJob(job, progress);
    return session.extended ? { ...frame, ...extrasFor(job, progress) } : frame;
  }

  function extrasFor(job: Job, progress: Progress | undefined): CompatFrameExtras {
    return { ...deps.extrasOf(job, progress), seq: deps.positionOf(job) };
  }

  /** Back in the queue, or placed: only those who asked for states hear of it. */
  function tellState(job: Job): void {
    for (const session of sessionsOf(job)) if (session.extended) session.sendProgress(frameFor(session, job));
  }

  function tellProgress(job: Job): void {
    for (const session of sessionsOf(job)) session.sendProgress(frameFor(session, job));
  }

  function tellEnd(job: Job, listeners: Iterable<Session>): void {
    const frame = describeJob(job, undefined);
    for (const session of [...listeners]) {
      if (!session.isOpen) continue;
      told.add(job.id);
      ending.set(session, job.id);
      const extras = session.extended ? extrasFor(job, undefined) : {};
      if (job.state.status === 'succeeded')
        session.send({ ...compatFrame('progress', '100.00%'), ...extras });
      session.send({ ...frame, ...extras });
      session.close(1000, job.state.status);
    }
  }

  function* allSessions(): Generator<Session> {
    for (const peers of sessions.values()) yield* peers;
  }

  /** Every `everyMs`, a visit to each socket; a round that takes longer than that delays the next. */
  function visitEvery(everyMs: number, visit: (session: Session) => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      void visitInSlices(allSessions(), visit, { size: sliceSize, signal: closed.signal })
        .catch((error: unknown) => log.error({ err: error }, 'a round over all sockets broke'))
        .finally(() => {
          if (!closed.signal.aborted) timer.refresh();
        });
    }, everyMs);
    return timer.unref();
  }

  function beat(session: Session): void {
    if (!session.extended && now() - session.openedAt < options.idleLimitMs)
      return session.beat(listeningText);
    beatWithJob(session).catch((error: unknown) => {
      log.warn({ err: error }, 'a heartbeat cannot tell of its job');
      session.beat(listeningText);
    });
  }

  async function beatWithJob(session: Session): Promise<void> {
    const job = await ledger.latestOf(session.clientId);
    const unfinished = job !== undefined && !isTerminal(job.state.status);
    if (!unfinished && now() - session.openedAt >= options.idleLimitMs) {
      session.send(compatFrame('error', timeOutMessage(options.idleLimitMs)));
      return session.close(1000, 'time out');
    }
    if (!session.extended || !unfinished) return session.beat(listeningText);
    session.beat(JSON.stringify({ ...listeningFrame, ...extrasFor(job, ledger.progressOf(job.id)) }));
  }

  const unsubscribe = [
    events.on('job:queued', ({ job }) => tellState(job)),
    events.on('job:assigned', ({ job }) => tellState(job)),
    events.on('job:progress', ({ job }) => tellProgress(job)),
    events.on('job:phase', ({ job }) => tellProgress(job)),
    events.on('job:canceling', ({ job }) => tellEnd(job, sessionsOf(job))),
    events.on('job:finished', ({ job }) => tellEnd(job, sessionsOf(job))),
    events.on('job:preview', ({ job, image }) => {
      for (const session of sessionsOf(job)) if (session.previews) session.sendPreview(image);
    }),
  ];
  const timers = [
    visitEvery(options.heartbeatMs, beat),
    visitEvery(options.pingMs ?? 10_000, (session) => session.ping()),
  ];
  server.on('upgrade', onUpgrade);

  return {
    isConnected: leases.isAttached,
    openSockets() {
      let open = 0;
      for (const peers of sessions.values()) open += peers.size;
      return open;
    },
    leaseOf(clientId) {
      const asked = [...(sessions.get(clientId) ?? [])].map(({ graceMs }) => graceMs ?? options.graceMs);
      const longest = Math.max(...asked);
      return Number.isFinite(longest) ? longest : null;
    },
    expectBack(jobs) {
      for (const { clientId, leaseMs } of jobs) {
        // Coming back takes a client a moment after it has found the bridge gone.
        if (clientId !== null && leaseMs !== null)
          leases.expectBack(clientId, Math.max(leaseMs, leastReturnMs), now());
      }
    },
    wantsPreviews(clientId) {
      const peers = clientId === null ? undefined : sessions.get(clientId);
      return peers !== undefined && [...peers].some((session) => session.previews);
    },
    dropUnwelcome() {
      for (const session of [...allSessions()]) {
        if (session.isGood()) continue;
        session.send(compatFrame('error', 'this key is no longer valid'));
        session.close(4401, 'this key is no longer valid');
      }
    },
    close() {
      closed.abort();
      timers.forEach(clearTimeout);
      unsubscribe.forEach((off) => off());
      leases.stop();
      server.off('upgrade', onUpgrade);
      for (const peers of sessions.values()) {
        for (const session of [...peers])
          session.close(1012, 'the bridge restarts: connect again with the same clientId');
      }
    },
  };
}
