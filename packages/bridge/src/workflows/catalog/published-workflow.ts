import type { ApiPrompt, InputKey, InputMark, InputValue } from '@comfy-bridge/protocol';

/** An input that the author marked: what a caller may set, and nothing else. */
export interface ApiInput {
  key: InputKey;
  nodeId: string;
  inputName: string;
  /** The node's title in the editor, else its class. */
  title: string;
  classType: string;
  /** The author's value. Null only when the file says `null`: then there is no default. */
  default: InputValue | null;
  /** The file says `7.0` and not `7`. */
  writtenAsFloat: boolean;
  mark: InputMark;
  /** File names in the description image folder; they belong to the node. */
  descimages: readonly string[];
}

/** A workflow file that callers can run, with the name they call it by. */
export interface PublishedWorkflow {
  /** The file name when the author gave no alias. */
  alias: string;
  fileName: string;
  /** Empty when the author gave none. */
  description: string;
  /** File name in the thumbnail folder. */
  thumbnailFile?: string;
  prompt: ApiPrompt;
  /** In the author's order: `order` first, then as the file has them. */
  inputs: readonly ApiInput[];
  /** Nodes whose results are delivered; empty: all. */
  outputNodes: readonly string[];
  /** What the author should mend; the workflow runs nevertheless. */
  problems: readonly string[];
}
