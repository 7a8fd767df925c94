import type { GivenImages } from './given-images.ts';
import type { NodeId, UiOutput } from './wire.ts';

/** How a run ended; `lost` when its server died. */
export type Outcome = 'success' | 'error' | 'interrupted' | 'lost';

export interface FinishOptions {
  /** How many pictures the first output node shows, or the pictures themselves. */
  images?: GivenImages;
  /** What each node shows, as is. */
  outputs?: Record<NodeId, UiOutput>;
  /** Succeed without any output, as a run may whose outputs were cached and whose files are gone. */
  emptyOutputs?: boolean;
  /** How long the history entry comes after `execution_success`, in milliseconds. */
  delayHistoryMs?: number;
}

export interface FailOptions {
  message?: string;
  /** A Python class name such as `torch.OutOfMemoryError`. Default `RuntimeError`. */
  type?: string;
  nodeId?: NodeId;
  traceback?: string[];
}
