import type { ComfyClient } from '../comfy/comfy-client.ts';
import type { ComfyEndpoint } from '../comfy/comfy-endpoint.ts';
import type { NodeDefinition, NodeDefinitions } from '../comfy/object-info.ts';
import { maxServers } from '../lib/server-address.ts';
import type { BackendState } from './backend.ts';
import { freshBreaker } from './breaker.ts';
import type { Breaker } from './breaker.ts';
import { createFleetDefinitions } from './fleet-definitions.ts';
import type { Lending } from './lending.ts';
import { freshStanding } from './standing.ts';
import type { Quarantine, Standing } from './standing.ts';

/** A backend with all that is known of it. `name` is public; `endpoint` never leaves the bridge. */
export interface Backend {
  readonly name: string;
  /** Who named it: the configuration, at every start, or an operator over the API. */
  readonly source: 'config' | 'api';
  endpoint: ComfyEndpoint;
  client: ComfyClient;
  state: BackendState;
  /** Node classes it offers, as it last said in a way that can be read; undefined until it did once. Shared: never changed. */
  definitions: NodeDefinitions | undefined;
  /** Equal for equal definitions. */
  definitionsSignature: string | undefined;
  /** Why what it offers could not be read at the last try, in words for its operator; null when all is well. */
  offerProblem: string | null;
  /** Its feature flags; none where it knows no such thing. */
  features: Readonly<Record<string, unknown>>;
  version: string | null;
  /** Of the device that ComfyUI works on (of the machine, when it works on the CPU); 0 while unknown. */
  memoryBytes: number;
  /** What ComfyUI could use of that at the last look, after unloading models of its own; 0 while unknown. */
  usableMemoryBytes: number;
  /** What it told of itself at the last look; undefined while unknown. */
  machine: Machine | undefined;
  /** What its operator wants of it. */
  settings: BackendSettings;
  /** True once it is to leave the fleet, which it does when its jobs are done. */
  isLeaving: boolean;
  /** What it listed and then did not have; forgotten when it lists something else there, or has been away. */
  suspicions: readonly Suspicion[];
  /** The models that its last prompt of ours needed; empty when unknown, or unloaded since. */
  warmModels: ReadonlySet<string>;
  /** Whether it is trusted with work, beside answering probes. */
  breaker: Breaker;
  /** What its owner, who lends it, wants of it; null: a stock ComfyUI, undefined: not known yet. */
  lending: Lending | null | undefined;
  /** Prompts in its queue at the last look, everybody's. */
  queueRemaining: number;
  /** Jobs that hold one of its slots, in the order in which they will run there. */
  readonly slots: Map<string, SlotUse>;
  /** What checks of its results have shown. */
  standing: Standing;
  /** Null: its results are believed. */
  quarantine: Quarantine | null;
  /** A prompt that the bridge itself runs there to check its results. It holds no slot: jobs go first. */
  trial: SlotUse | undefined;
}

/** What a machine is, for people; '' for what it does not tell. */
export interface Machine {
  freeMemoryBytes: number;
  gpu: string;
  pythonVersion: string;
  pytorchVersion: string;
}

export interface SlotUse {
  jobId: string;
  workflow: string;
  /** ms since the epoch; null while its prompt still waits in the backend's queue. */
  executingSince: number | null;
  /** The id under which the backend knows the prompt; very old ones choose it themselves. */
  promptId: string | null;
  /** True once the backend has the prompt, so that it counts in `queueRemaining`. */
  submitted: boolean;
  /** What it will take there, loading its models included, ms. */
  expectedMs: number;
  /** Files of weights that it needs. */
  models: ReadonlySet<string>;
}

/** What an operator may set, also while it runs. */
export interface BackendSettings {
  /** `draining`: no new work, what it has it finishes. `paused`: what has not begun there is taken back as well. */
  mode: 'active' | 'draining' | 'paused';
  /** How much it is preferred, 0.01 to 100: with 2 it counts as twice as fast. */
  weight: number;
  tags: readonly string[];
  /** Only these workflows (aliases) are placed on it; null: all. */
  workflows: readonly string[] | null;
}

export const defaultBackendSettings: BackendSettings = {
  mode: 'active',
  weight: 1,
  tags: [],
  workflows: null,
};

/** Something that a prompt needs and a backend does not have: a node class, or a value that an input does not offer. */
export interface Lack {
  classType: string;
  /** Null: the class itself. */
  inputName: string | null;
  value: string | number | boolean | null;
}

export interface Suspicion extends Lack {
  /** ms since the epoch */
  since: number;
}

export interface Fleet {
  /** Those of now: always the same array. */
  readonly backends: readonly Backend[];
  /** One that nobody watches yet; not added when its name or its address is there already, or the fleet is full. */
  add(member: FleetMember): AddOutcome;
  /** Undefined when there is none of that name. Its client goes on until somebody closes it. */
  remove(name: string): Backend | undefined;
  /** Another token or pin (as in an endpoint) for the same address. Calls under way end with what they began with. */
  changeCredentials(backend: Backend, change: CredentialsChange): void;
  find(name: string): Backend | undefined;
  ready(): Backend[];
  /** Grows whenever `findDefinition` may answer otherwise than before. */
  readonly definitionsVersion: number;
  /** What the fleet says of a node class: options are those of all backends together. */
  findDefinition(classType: string): NodeDefinition | undefined;
  /** What the backend that comes closest lacks of `wanted`; empty when one has them all, or was never reached. */
  missingEverywhere(wanted: Iterable<string>): string[];
}

export interface FleetMember {
  name: string;
  endpoint: ComfyEndpoint;
  /** Default `config`. */
  source?: Backend['source'];
  settings?: BackendSettings;
  isLeaving?: boolean;
}

/** Null: none. Undefined: as it is. */
export interface CredentialsChange {
  token?: string | null | undefined;
  pin?: string | null | undefined;
}

export type AddOutcome =
  | { ok: true; backend: Backend }
  | { ok: false; reason: 'name-taken' | 'address-taken' | 'full' };

/** Throws when two of the members share a name or an address, or there are too many of them. */
export function createFleet(
  members: readonly FleetMember[],
  createClient: (endpoint: ComfyEndpoint) => ComfyClient,
): Fleet {
  const backends: Backend[] = [];
  const known = createFleetDefinitions(backends);

  function add({
    name,
    endpoint,
    source = 'config',
    settings = defaultBackendSettings,
    isLeaving = false,
  }: FleetMember): AddOutcome {
    if (backends.some((backend) => backend.name === name)) return { ok: false, reason: 'name-taken' };
    if (backends.some((backend) => backend.endpoint.url === endpoint.url))
      return { ok: false, reason: 'address-taken' };
    if (backends.length >= maxServers) return { ok: false, reason: 'full' };
    let definitions: NodeDefinitions | undefined;
    const backend: Backend = {
      name,
      source,
      endpoint,
      client: createClient(endpoint),
      state: { status: 'connecting' },
      get definitions() {
        return definitions;
      },
      set definitions(offered) {
        if (offered === definitions) return;
        definitions = offered;
        known.changed();
      },
      definitionsSignature: undefined,
      offerProblem: null,
      features: {},
      version: null,
      memoryBytes: 0,
      usableMemoryBytes: 0,
      machine: undefined,
      settings,
      isLeaving,
      suspicions: [],
      warmModels: new Set(),
      breaker: freshBreaker,
      lending: undefined,
      queueRemaining: 0,
      slots: new Map(),
      standing: freshStanding,
      quarantine: null,
      trial: undefined,
    };
    backends.push(backend);
    return { ok: true, backend };
  }

  for (const member of members) {
    const added = add(member);
    if (!added.ok) throw new Error(`the backend ${member.name} cannot join the fleet: ${added.reason}`);
  }

  function ready(): Backend[] {
    return backends.filter((backend) => backend.state.status === 'ready');
  }

  return {
    backends,
    add,
    remove(name) {
      const index = backends.findIndex((backend) => backend.name === name);
      if (index < 0) return undefined;
      known.changed();
      return backends.splice(index, 1)[0];
    },
    changeCredentials(backend, change) {
      const { url, ...before } = backend.endpoint;
      const token = change.token === undefined ? before.token : change.token;
      const pin = change.pin === undefined ? before.pin : change.pin;
      backend.endpoint = { url, ...(isGiven(token) && { token }), ...(isGiven(pin) && { pin }) };
      // The one before is not closed: it holds nothing open once its calls are done, and some may be fetching results.
      backend.client = createClient(backend.endpoint);
    },
    ready,
    find: (name) => backends.find((backend) => backend.name === name),
    get definitionsVersion() {
      return known.version;
    },
    findDefinition: known.find,
    missingEverywhere(wanted) {
      const classes = [...new Set(wanted)];
      let fewest: string[] | undefined;
      for (const { definitions } of backends) {
        // One that was never reached may have everything.
        if (definitions === undefined) return [];
        const missing = classes.filter((classType) => !definitions.has(classType));
        if (fewest === undefined || missing.length < fewest.length) fewest = missing;
      }
      return fewest ?? [];
    },
  };
}

/** Prompts in a backend's queue that are not ours: its owner's, or another bridge's. */
export function foreignPrompts(backend: Backend): number {
  let ours = 0;
  for (const slot of backend.slots.values()) if (slot.submitted) ours += 1;
  if (backend.trial?.submitted === true) ours += 1;
  return Math.max(0, backend.queueRemaining - ours);
}

function isGiven(value: string | null | undefined): value is string {
  return value !== null && value !== undefined;
}
