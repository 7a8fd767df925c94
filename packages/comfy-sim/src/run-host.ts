import type { FileStore } from './file-store.ts';
import type { LoadedModels } from './loaded-models.ts';
import type { NodeCache } from './node-cache.ts';
import type { ObjectInfo } from './object-info.ts';
import type { ResolvedOptions } from './sim-options.ts';
import type { SocketHub } from './socket-hub.ts';
import type { ApiPrompt, HistoryItem, NodeId } from './wire.ts';

/** What a run needs of the server it runs in. */
export interface RunHost {
  options: ResolvedOptions;
  hub: SocketHub;
  files: FileStore;
  cache: NodeCache;
  models: LoadedModels;
  info: ObjectInfo;
  /** Content hash of the input file that a node loads, or ''. */
  contentOf: (prompt: ApiPrompt, node: NodeId) => string;
  /** Called when the first frame of a prompt goes out; from then on it is its client that the server serves. */
  began: (clientId: string | undefined) => void;
  /** Moves the prompt to the history and takes the next one. */
  ended: (entry: HistoryItem) => void;
}
