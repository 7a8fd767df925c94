/**
 * What a backend says of its node classes (`GET /object_info`), brought into one form. Combos come as `[[…], opts]` from
 * V1 nodes and as `['COMBO', { options }]` from V3 nodes; sizes are not trusted, unknown fields are dropped.
 */
export interface NodeInputSpec {
  /** 'INT' | 'FLOAT' | 'STRING' | 'BOOLEAN' | 'COMBO' or a link type such as 'IMAGE'. */
  type: string;
  required: boolean;
  default?: unknown;
  options?: readonly (string | number | boolean)[];
  min?: number;
  max?: number;
  step?: number;
  multiline?: boolean;
  tooltip?: string;
  /** The input takes the name of a file in the backend's input folder. */
  upload?: 'image' | 'video' | 'audio';
}

export interface NodeDefinition {
  classType: string;
  displayName: string;
  inputs: ReadonlyMap<string, NodeInputSpec>;
  outputNode: boolean;
  outputs: readonly string[];
}

export type NodeDefinitions = ReadonlyMap<string, NodeDefinition>;
