import { join } from 'node:path';

import type { Fleet } from './backends/fleet.ts';
import { createResultLinks } from './access/result-links.ts';
import { buildAccess, createAdmission, createStoredLimit } from './build-access.ts';
import { buildApi } from './build-api.ts';
import type { Api } from './build-api.ts';
import { buildAssets } from './build-assets.ts';
import { buildConnectionGate } from './build-connection-gate.ts';
import { buildFilePolicy } from './build-file-policy.ts';
import { buildFleet } from './build-fleet.ts';
import { buildHttpApp } from './build-http-app.ts';
import { buildObservability } from './build-observability.ts';
import { buildScheduling } from './build-scheduling.ts';
import { buildWebhooks } from './build-webhooks.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import { createEvents } from './events.ts';
import type { Events } from './events.ts';
import { createDiskFileStore } from './files/disk-file-store.ts';
import { limitStorage } from './files/limit-storage.ts';
import { addressOf, isTrustedProxy } from './http/app.ts';
import { mayConnectFrom } from './http/cors.ts';
import { createMetricsGate } from './http/requests/metrics-gate.ts';
import { listRoutes } from './http/list-routes.ts';
import type { Route } from './http/list-routes.ts';
import { createGenerationCount } from './jobs/generation-count.ts';
import { createJobFeed } from './jobs/job-feed.ts';
import { createJobLedger } from './jobs/job-ledger.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { JobStore } from './jobs/job-store.ts';
import { openJobStore } from './jobs/open-job-store.ts';
import { toV2Job } from './jobs/v2-view.ts';
import { recoverJobs } from './jobs/recover-jobs.ts';
import { closeServer, createHttpServer, listen } from './lib/listen.ts';
import { logEvents } from './log-events.ts';
import type { Logger } from './logging.ts';
import { createHousekeeping } from './scheduling/upkeep/housekeeping.ts';
import { createContextOf } from './scheduling/job-context.ts';
import { describeForListener } from './scheduling/describe-for-listener.ts';
import { openPublications } from './workflows/catalog/publication-parts.ts';
import { createWorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';
import type { WorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';
import { createGateway } from './ws/gateway.ts';
import type { Gateway } from './ws/gateway.ts';

export interface BridgeOverrides {
  log: Logger;
  store?: JobStore;
  now?: () => number;
  /** Where the built page lies; default: where it is built. */
  pageDir?: string;
}

export interface Bridge extends AsyncDisposable {
  /** Where it listens: `http://host:port` plus the base path. */
  readonly url: string;
  readonly fleet: Fleet;
  readonly events: Events;
  readonly ledger: JobLedger;
  readonly workflows: WorkflowCatalog;
  /** Every method and path that its routers serve, without the base path. */
  readonly routes: readonly Route[];
  /** Stops taking work, ends what is under way, closes everything. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * The composition root: builds every part of the bridge, joins them, and takes them down in reverse. Resolves once it
 * listens. Nothing else constructs a store, a client or a server.
 */
export async function createBridge(config: BridgeConfig, overrides: BridgeOverrides): Promise<Bridge> {
  const { log, now = Date.now } = overrides;
  await using parts = new AsyncDisposableStack();
  const state = { draining: false, closing: new AbortController() };
  const isDraining = () => state.draining;

  const events = createEvents((name, err) => log.error({ err, event: name }, 'a listener failed'));
  parts.defer(logEvents({ events, log }));

  const { dataDir } = config.files;
  const store = parts.use(
    overrides.store ?? (await openJobStore({ log }, { kind: config.jobs.store, dataDir })),
  );
  const access = parts.use(
    await buildAccess(config, { records: store, now, log: log.child({ part: 'access' }) }),
  );
  const files = await limitStorage(await createDiskFileStore({ directory: dataDir }), {
    maxBytes: config.files.quotaBytes,
    maxBytesOf: createStoredLimit(access, config.limits),
  });
  const { policy } = parts.use(buildFilePolicy(config.files, log.child({ part: 'files' })));
  const ledger = createJobLedger({ store, events, log: log.child({ part: 'jobs' }) });
  const feed = createJobFeed({ events });
  parts.defer(() => feed.close());
  const count = await createGenerationCount({ store, events, log }, { file: config.jobs.currentStateFile });
  parts.defer(() => count.close());

  const folder = {
    workflowDir: config.workflows.dir,
    aliasFile: config.workflows.aliasFile,
    log: log.child({ part: 'workflows' }),
  };
  // Before anybody looks into the folder.
  const publications = await openPublications({ ...folder, directory: join(dataDir, 'workflow-versions') });
  const workflows = parts.use(await createWorkflowCatalog(folder));
  const fleetParts = parts.use(
    await buildFleet(config.backends, {
      store,
      ledger,
      events,
      moveAway: (backend, which) => scheduler.moveAway(backend, which),
      log: log.child({ part: 'backends' }),
      now,
    }),
  );
  const { fleet, changes } = fleetParts;

  const listeners: { gateway?: Gateway; api?: Api } = {};
  const schedulingParts = parts.use(
    await buildScheduling(config, {
      store,
      ledger,
      events,
      files,
      policy,
      workflows,
      fleetParts,
      wantsPreviews: (job) =>
        feed.isFollowed(job.id) ||
        listeners.gateway?.wantsPreviews(job.clientId) === true ||
        listeners.api?.wantsPreviews(job) === true,
      log,
      now,
    }),
  );
  const { scheduler } = schedulingParts;
  // First, or attempts whose end cannot be stored would hold up the stop.
  parts.defer(() => ledger.close());

  const assets = await buildAssets(config, {
    ...{ store, ledger, files, policy, access, now },
    log: log.child({ part: 'assets' }),
  });
  const contextOf = createContextOf(
    { ledger, feed, scheduler },
    { basePath: config.server.basePath, resultTtlMs: config.files.resultTtlMs },
  );
  const webhooks = parts.use(
    buildWebhooks(config.webhooks, {
      store,
      events,
      describe: (job, origin) => toV2Job(job, contextOf(job, origin)),
      log: log.child({ part: 'webhooks' }),
      now,
    }),
  );
  const housekeeping = createHousekeeping(
    { ledger, store, events, files, assets, log: log.child({ part: 'housekeeping' }), now },
    { resultTtlMs: config.files.resultTtlMs, uploadTtlMs: config.files.uploadTtlMs },
  );
  parts.defer(() => housekeeping.stop());

  const gate = parts.use(
    buildConnectionGate(config, {
      isTrustedProxy: (address) => isTrustedProxy(app, address),
      events,
      log: log.child({ part: 'http' }),
    }),
  );
  const server = createHttpServer((socket) => gate.admit(socket));
  const gateway = createGateway(
    {
      server,
      ledger,
      events,
      cancel: (id, reason) => scheduler.cancel(id, reason),
      extrasOf: (job, progress) => describeForListener({ scheduler, now }, job, progress),
      positionOf: (job) => feed.position(job),
      previewOf: (job) => feed.lastPreview(job),
      mayConnect: ({ headers }) => mayConnectFrom(headers, config.server.corsOrigins),
      admit: createAdmission(access, {
        maxSockets: config.limits.sockets,
        addressOf: (request) => addressOf(app, request),
        onEntered: ({ socket }) => gate.vouch(socket),
      }),
      isDraining,
      log: log.child({ part: 'ws' }),
      now,
    },
    {
      path: `${config.server.basePath}/ws`,
      heartbeatMs: config.client.heartbeatIntervalMs,
      idleLimitMs: config.client.timeoutMs,
      graceMs: config.client.graceMs,
    },
  );
  listeners.gateway = gateway;
  parts.defer(() => gateway.close());

  const observability = parts.use(
    await buildObservability(config, {
      ...{ events, ledger, fleet, log, now },
      queueLength: () => scheduler.queueLength(),
      sources: {
        openSockets: () => gateway.openSockets(),
        openStreams: () => listeners.api?.openStreams() ?? 0,
        storage: () => files.usage(),
        dataDir,
        webhooksOwed: () => webhooks.owed(),
        isDraining,
      },
    }),
  );
  const metricsGate = createMetricsGate({
    isPublic: config.observability.metrics === 'public',
    token: config.observability.metricsToken?.reveal(),
  });
  const api = buildApi(config, {
    ...{ access, store, ledger, feed, events, files, policy, assets, workflows, publications },
    ...{ fleetParts, schedulingParts, gateway, observability, metricsGate, webhooks, contextOf },
    generationCount: () => count.read(),
    isDraining,
    closing: state.closing.signal,
    pageDir: overrides.pageDir,
    links: await createResultLinks({ records: store, now }),
    log: log.child({ part: 'http' }),
    now,
  });
  listeners.api = api;
  parts.defer(() => api.untilDelivered());
  const routes = listRoutes(api.routers);
  parts.defer(
    access.keys.onChange(() => {
      gateway.dropUnwelcome();
      api.dropUnwelcome();
    }),
  );
  const app = buildHttpApp(config, {
    ...{ access, routes, workflows, observability, metricsGate, now },
    onKnown: (socket) => gate.vouch(socket),
    routers: api.routers,
    log: log.child({ part: 'http' }),
  });
  server.on('request', app);

  const recovered = await recoverJobs({
    ledger,
    events,
    hasBackend: (name) => fleet.find(name) !== undefined,
    takeOver: (job) => scheduler.takeOver(job),
    dropHedge: (hedge) => scheduler.dropPrompt(hedge),
    now,
  });
  changes.resume();
  gateway.expectBack(ledger.unfinished());
  await webhooks.resume();
  housekeeping.start();
  if (Object.values(recovered).some((number) => number > 0))
    log.info(recovered, 'found jobs of an earlier run');
  const origin = await listen(server, config.server);
  // A stop has half of its time for work that is about to end, and for its results to be fetched; the rest is for closing.
  const graceMs = config.server.shutdownTimeoutMs / 2;
  parts.defer(() => closeServer(server, graceMs));
  parts.defer(async () => {
    state.draining = true;
    await scheduler.drain(graceMs);
    // Before the server: it waits for all of its connections, and a WebSocket does not end by itself.
    gateway.close();
    state.closing.abort();
  });

  const built = parts.move();
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= built.disposeAsync());
  return {
    url: `${origin}${config.server.basePath}`,
    fleet,
    events,
    ledger,
    workflows,
    routes,
    close,
    [Symbol.asyncDispose]: close,
  };
}
