import type { ComfyClient } from '../comfy/comfy-client.ts';
import type { ComfyEndpoint } from '../comfy/comfy-endpoint.ts';
import type { NodeDefinition, NodeDefinitions } from '../comfy/object-info.ts';
import type { BackendState } from './backend.ts';
import { freshBreaker } from './breaker.ts';
import type { Breaker } from './breaker.ts';
import { mergeDefinitions } from './merge-definitions.ts';

/** A backend with all that is known of it. `name` is public; `endpoint` never leaves the bridge. */
export interface Backend {
  readonly name: string;
  readonly endpoint: ComfyEndpoint;
  readonly client: ComfyClient;
  state: BackendState;
  /** Node classes it offers; undefined until it was reached once. */
  definitions: NodeDefinitions | undefined;
  /** Tells whether `/object_info` changed since. */
  definitionsSignature: string | undefined;
  version: string | null;
  /** Of the device that ComfyUI works on (of the machine, when it works on the CPU); 0 while unknown. */
  memoryBytes: number;
  /** By its operator's wish it gets no new work; what it has, it finishes. */
  isDraining: boolean;
  /** Whether it is trusted with work, beside answering probes. */
  breaker: Breaker;
  /** Prompts in its queue at the last look, everybody's. */
  queueRemaining: number;
  /** Jobs that hold one of its slots, in the order in which they will run there. */
  readonly slots: Map<string, SlotUse>;
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
}

export interface Fleet {
  readonly backends: readonly Backend[];
  find(name: string): Backend | undefined;
  ready(): Backend[];
  /** What the fleet says of a node class: options are those of all backends together. */
  findDefinition(classType: string): NodeDefinition | undefined;
  /** What the backend that comes closest lacks of `wanted`; empty when one has them all, or was never reached. */
  missingEverywhere(wanted: Iterable<string>): string[];
}

export interface FleetMember {
  name: string;
  endpoint: ComfyEndpoint;
}

export function createFleet(
  members: readonly FleetMember[],
  createClient: (endpoint: ComfyEndpoint) => ComfyClient,
): Fleet {
  const backends = members.map(({ name, endpoint }): Backend => ({
    name,
    endpoint,
    client: createClient(endpoint),
    state: { status: 'connecting' },
    definitions: undefined,
    definitionsSignature: undefined,
    version: null,
    memoryBytes: 0,
    isDraining: false,
    breaker: freshBreaker,
    queueRemaining: 0,
    slots: new Map(),
  }));

  /** Merged definitions, until any backend's change. */
  const merged = new Map<string, NodeDefinition | undefined>();
  let mergedFor: string | undefined;

  function ready(): Backend[] {
    return backends.filter((backend) => backend.state.status === 'ready');
  }

  return {
    backends,
    ready,
    find: (name) => backends.find((backend) => backend.name === name),
    findDefinition(classType) {
      const signatures = backends.map((backend) => backend.definitionsSignature).join();
      if (signatures !== mergedFor) {
        mergedFor = signatures;
        merged.clear();
      }
      if (!merged.has(classType)) {
        const known = backends.map((backend) => backend.definitions?.get(classType));
        merged.set(classType, mergeDefinitions(known.filter((definition) => definition !== undefined)));
      }
      return merged.get(classType);
    },
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
  return Math.max(0, backend.queueRemaining - ours);
}
