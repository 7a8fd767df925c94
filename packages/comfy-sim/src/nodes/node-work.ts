import type { FileStore } from '../file-store.ts';
import { PythonError } from '../python-values.ts';
import type { ApiPrompt, ExtraData, FileRef, NodeId, UiOutput } from '../wire.ts';
import { isLink } from '../wire.ts';
import type { Liar } from './forge.ts';
import type { NodeValue, Picture } from './node-value.ts';

/** What a node may use while it runs. */
export interface NodeWork {
  id: NodeId;
  inputs: Record<string, unknown>;
  /** Resolves a link to what its origin produced. */
  link: (value: [NodeId, number]) => NodeValue | undefined;
  prompt: ApiPrompt;
  extraData: ExtraData;
  files: FileStore;
  /** What is saved is forged. */
  liar: Liar | undefined;
  /** True when pictures should be cheap rather than telling. */
  plain: boolean;
  /** True when the client is to see previews while sampling. */
  previews: boolean;
  /** One step of a node that reports progress; waits as long as a step lasts, throws when interrupted. */
  step: (
    value: number,
    max: number,
    options?: { preview?: () => Promise<Uint8Array>; ms?: number },
  ) => Promise<void>;
  text: (text: string) => void;
  loadModel: (folder: string, name: string) => Promise<void>;
}

export interface NodeResult {
  values: NodeValue[];
  ui?: UiOutput;
}

export type NodeOperation = (work: NodeWork) => NodeResult | Promise<NodeResult>;

export function imagesOf(work: NodeWork, name: string): Picture[] {
  const value = linked(work, name);
  if (value?.type === 'IMAGE') return value.pictures;
  throw missing(name, 'IMAGE');
}

export function maskOf(work: NodeWork, name: string): Picture[] | undefined {
  const value = linked(work, name);
  return value?.type === 'MASK' ? value.pictures : undefined;
}

export function latentOf(work: NodeWork, name: string): Extract<NodeValue, { type: 'LATENT' }> {
  const value = linked(work, name);
  if (value?.type === 'LATENT') return value;
  throw missing(name, 'LATENT');
}

export function linked(work: NodeWork, name: string): NodeValue | undefined {
  const value = work.inputs[name];
  return isLink(value) ? work.link(value) : undefined;
}

/** A plain value, from the prompt itself or through a link from a primitive node. */
export function scalarOf(work: NodeWork, name: string): unknown {
  const value = work.inputs[name];
  if (!isLink(value)) return value;
  const found = work.link(value);
  return found?.type === 'SCALAR' ? found.value : undefined;
}

export function numberOf(work: NodeWork, name: string, fallback = 0): number {
  const value = scalarOf(work, name);
  return typeof value === 'number' ? value : fallback;
}

export function textOf(work: NodeWork, name: string, fallback = ''): string {
  const value = scalarOf(work, name);
  return typeof value === 'string' ? value : fallback;
}

export function image(...pictures: Picture[]): NodeResult {
  return { values: [{ type: 'IMAGE', pictures }] };
}

export function mask(...pictures: Picture[]): NodeResult {
  return { values: [{ type: 'MASK', pictures }] };
}

export function saved(images: FileRef[], more: UiOutput = {}): NodeResult {
  return { values: [], ui: { images, ...more } };
}

function missing(name: string, type: string): PythonError {
  return new PythonError('TypeError', `missing ${type} input: '${name}'`);
}
