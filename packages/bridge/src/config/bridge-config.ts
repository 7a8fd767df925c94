import { join } from 'node:path';

import type { AllowedTypes } from './mime-map.ts';
import type { CorsOrigins, SocketAddress, TrustProxy } from './network-parsers.ts';
import type { ToldSetting } from './tell-setting.ts';
import type { OptionValues } from './options.ts';
import type { Secret } from './secret.ts';
import type { BackendServer } from './server-list.ts';
import { toTraceConfig } from './trace-config.ts';
import type { TraceConfig } from './trace-config.ts';
import type { LogLevel } from './value-parsers.ts';

/** The bridge's settings: frozen, checked, paths absolute. What each means and allows stands in the option tables. */
export interface BridgeConfig {
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** '' or `/path` */
    readonly basePath: string;
    readonly trustProxy: TrustProxy;
    /** An empty list: same origin only. */
    readonly corsOrigins: CorsOrigins;
    readonly shutdownTimeoutMs: number;
  };
  readonly backends: {
    readonly servers: readonly BackendServer[];
    /** Addresses and networks in CIDR form; undefined: any but those that no ComfyUI can have. */
    readonly networks: readonly string[] | undefined;
    readonly whenNone: 'queue' | 'refuse';
    readonly slots: number;
    readonly previews: boolean;
    /** Whether prompts are taken out of a backend's history once their results are here. */
    readonly cleanUp: boolean;
    /** Between two canaries of an idle backend, on average; 0: none. */
    readonly canaryIntervalMs: number;
    /** Of finished jobs that run a second time, 0 to 1. */
    readonly duplicateShare: number;
    /** How far their results may be apart, 0 to 1. */
    readonly duplicateTolerance: number;
    readonly connectTimeoutMs: number;
    readonly probeIntervalMs: number;
    readonly probeTimeoutMs: number;
  };
  readonly workflows: { readonly dir: string; readonly aliasFile: string };
  readonly files: {
    readonly dataDir: string;
    readonly uploadMaxBytes: number;
    readonly uploadMaxFiles: number;
    /** Of one resumable upload. */
    readonly resumableMaxBytes: number;
    readonly uploadTtlMs: number;
    readonly resultMaxBytes: number;
    /** Of all results of one job. */
    readonly jobResultMaxBytes: number;
    readonly resultTtlMs: number;
    /** Of uploads and results together. */
    readonly quotaBytes: number;
    readonly maxPixels: number;
    readonly maxMediaSeconds: number;
    /** Undefined: the built-in list. */
    readonly allowedCodecs: readonly string[] | undefined;
    /** Of what goes to a backend. */
    readonly stripMetadata: boolean;
    /** Of pictures that go to a backend. */
    readonly reencodeImages: boolean;
    /** Of results: of all workflows, or of these. */
    readonly stripResults: boolean | readonly string[];
    /** Undefined: nobody looks for viruses. */
    readonly clamav: SocketAddress | undefined;
    readonly clamavRequired: boolean;
    /** Undefined: the built-in list. */
    readonly allowedTypes: AllowedTypes | undefined;
  };
  readonly jobs: {
    readonly store: 'sqlite' | 'memory';
    /** Who may run graphs of their own beside the published workflows. */
    readonly anyWorkflow: 'loopback' | 'operator' | 'everyone';
    readonly maxQueued: number;
    readonly maxAttempts: number;
    /** A job that takes far too long is run a second time on an idle backend. */
    readonly hedging: boolean;
    readonly currentStateFile: string;
  };
  readonly webhooks: {
    /** For those who bring none. */
    readonly secret: Secret | undefined;
    /** Host names, addresses, networks or `*`. */
    readonly allow: readonly string[];
  };
  readonly client: {
    readonly heartbeatIntervalMs: number;
    /** LIMIT_TIMEOUT_COUNT × TIMEOUT_INTERVAL, and no more than a timer can hold (24 days). */
    readonly timeoutMs: number;
    readonly graceMs: number;
    readonly jsonMaxBytes: number;
  };
  /** Of one key, or of one address where keys are off; infinity: none. */
  readonly limits: {
    readonly requestsPerMinute: number;
    /** Wrong keys a minute from one address. */
    readonly keyAttempts: number;
    readonly unfinishedJobs: number;
    /** Of uploads, of one key. */
    readonly storedBytes: number;
    readonly sockets: number;
    /** Open connections of everybody. */
    readonly connections: number;
    /** Open connections of strangers from one address. */
    readonly connectionsPerAddress: number;
    readonly streams: number;
  };
  readonly logging: { readonly level: LogLevel; readonly format: 'auto' | 'json' | 'pretty' };
  readonly observability: {
    /** `on`: for operators and whoever has the token; `public`: for everybody. */
    readonly metrics: 'on' | 'off' | 'public';
    readonly metricsToken: Secret | undefined;
    readonly accessLog: boolean;
    /** Undefined: nothing is traced. */
    readonly traces: TraceConfig | undefined;
  };
  readonly operator: {
    readonly token: Secret | undefined;
    /** Whether callers must send a key. */
    readonly keysRequired: boolean;
  };
  /** What operators are told of all this. */
  readonly told: { readonly settings: readonly ToldSetting[]; readonly warnings: readonly string[] };
}

/** Whether only this machine reaches a listener of that address or name. */
export function isLoopback(host: string): boolean {
  return host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host) || /^localhost\.?$/i.test(host);
}

const maxTimerMs = 2 ** 31 - 1;

/** Sorts the parsed options into sections and fills in the defaults that hang on other options. */
export function toBridgeConfig(values: OptionValues, told: BridgeConfig['told']): BridgeConfig {
  return deepFreeze({
    told,
    server: {
      host: values.HOST,
      port: values.PORT,
      basePath: values.BASE_PATH,
      trustProxy: values.TRUST_PROXY,
      corsOrigins: values.CORS_ORIGINS,
      shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT,
    },
    backends: {
      servers: values.COMFYUI_SERVERS ?? [],
      networks: values.BACKEND_NETWORKS,
      whenNone: values.WHEN_NO_BACKEND,
      slots: values.BACKEND_SLOTS,
      previews: values.PREVIEWS,
      cleanUp: values.BACKEND_CLEANUP,
      canaryIntervalMs: values.CANARY_INTERVAL,
      duplicateShare: values.DUPLICATE_SHARE,
      duplicateTolerance: values.DUPLICATE_TOLERANCE,
      connectTimeoutMs: values.CONNECT_TIMEOUT,
      probeIntervalMs: values.PROBE_INTERVAL,
      probeTimeoutMs: values.PROBE_TIMEOUT,
    },
    workflows: {
      dir: values.WORKFLOW_DIR,
      aliasFile: values.WORKFLOW_ALIAS ?? join(values.WORKFLOW_DIR, 'workflow_alias.json'),
    },
    files: {
      dataDir: values.DATA_DIR,
      uploadMaxBytes: values.UPLOAD_MAX_SIZE,
      uploadMaxFiles: values.MAX_UPLOAD_FILES,
      resumableMaxBytes: values.RESUMABLE_MAX_SIZE,
      uploadTtlMs: values.UPLOAD_TTL_HOURS,
      resultMaxBytes: values.MAX_RESULT_SIZE,
      jobResultMaxBytes: values.MAX_JOB_RESULT_SIZE,
      resultTtlMs: values.RESULT_TTL_HOURS,
      quotaBytes: values.STORAGE_QUOTA,
      maxPixels: values.MAX_PIXELS,
      maxMediaSeconds: values.MAX_MEDIA_SECONDS,
      allowedCodecs: values.ALLOWED_CODECS,
      stripMetadata: values.STRIP_METADATA,
      reencodeImages: values.REENCODE_IMAGES,
      stripResults: values.STRIP_WORKFLOW_METADATA,
      clamav: values.CLAMAV,
      clamavRequired: values.CLAMAV_REQUIRED,
      allowedTypes: values.ALLOWED_MIME_TYPE_EXTENSION_MAP,
    },
    jobs: {
      store: values.JOB_STORE,
      anyWorkflow: values.ALLOW_ANY_WORKFLOW,
      maxQueued: values.MAX_QUEUED_JOBS,
      maxAttempts: values.MAX_ATTEMPTS,
      hedging: values.HEDGE_SLOW_JOBS,
      currentStateFile: values.CURRENT_STATE ?? join(values.DATA_DIR, 'current_state.json'),
    },
    webhooks: { secret: values.WEBHOOK_SECRET, allow: values.WEBHOOK_ALLOW },
    client: {
      heartbeatIntervalMs: values.TIMEOUT_INTERVAL,
      timeoutMs: Math.min(values.LIMIT_TIMEOUT_COUNT * values.TIMEOUT_INTERVAL, maxTimerMs),
      graceMs: values.GRACE_SECONDS,
      jsonMaxBytes: values.MAX_JSON_SIZE,
    },
    limits: {
      requestsPerMinute: values.LIMIT_REQUESTS || Infinity,
      keyAttempts: values.LIMIT_KEY_ATTEMPTS,
      unfinishedJobs: values.LIMIT_UNFINISHED_JOBS || Infinity,
      storedBytes: values.LIMIT_STORED || Infinity,
      sockets: values.LIMIT_SOCKETS,
      connections: values.MAX_CONNECTIONS,
      connectionsPerAddress: values.LIMIT_CONNECTIONS || Infinity,
      streams: values.LIMIT_STREAMS,
    },
    logging: { level: values.LOGGING_LEVEL, format: values.LOG_FORMAT },
    observability: {
      metrics: values.METRICS,
      metricsToken: values.METRICS_TOKEN,
      accessLog: values.ACCESS_LOG,
      traces: toTraceConfig(values),
    },
    operator: {
      token: values.OPERATOR_TOKEN,
      keysRequired:
        values.KEYS === 'required' ||
        (values.KEYS === 'auto' && !values.INSECURE && !isLoopback(values.HOST)),
    },
  });
}

function deepFreeze<T extends object>(value: T): T {
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) deepFreeze(item);
  return Object.freeze(value);
}
