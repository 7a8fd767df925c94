import { extname } from 'node:path';
import type { OutputType } from '@comfy-bridge/protocol';
import { isRecord } from '../lib/is-record.ts';
import { toId, toRecord, toText } from './read-fields.ts';

/** A file that a prompt's nodes named. Untrusted: the name is only good for asking this backend for it. */
export interface OutputFile {
  /** The node of the submitted prompt. */
  nodeId: string;
  filename: string;
  subfolder: string;
  /** The backend's folder; `temp` is wiped when it restarts. */
  type: 'output' | 'temp' | 'input';
  kind: OutputType;
}

export interface PromptOutputs {
  files: OutputFile[];
  texts: { nodeId: string; text: string }[];
}

/** Files and texts each; more is not read. */
const MAX_OUTPUTS = 1000;
const MAX_DEPTH = 6;

/**
 * Reads what a prompt's nodes showed (`outputs` of its history). Keys differ from node to node and custom nodes invent their
 * own, so every key is walked: objects with a file name and a known folder are files, strings under `text` are texts, and
 * the rest (flags such as `animated`, camera positions, …) is ignored. With `meta`, nodes that were expanded at run time
 * count as the submitted node that they came from. A file that a node names twice is listed once.
 */
export function readOutputs(outputs: unknown, meta?: unknown): PromptOutputs {
  const read: PromptOutputs = { files: [], texts: [] };
  const seen = new Set<string>();
  for (const [key, shown] of Object.entries(toRecord(outputs))) {
    const nodeId = toSubmittedNode(key, meta);
    for (const [name, value] of Object.entries(toRecord(shown))) {
      if (name === 'text') readTexts(value, nodeId, read);
      readFiles(value, { nodeId, key: name }, read, seen, MAX_DEPTH);
    }
  }
  return read;
}

/**
 * Which files a caller gets: those of the marked nodes; without marks everything saved, or, when nothing was saved, the
 * previews (a workflow may end in previews only). Each file once.
 */
export function selectDelivered(files: readonly OutputFile[], outputNodes: readonly string[]): OutputFile[] {
  if (outputNodes.length > 0)
    return withoutRepeats(files.filter((file) => outputNodes.includes(file.nodeId)));
  const saved = files.filter((file) => file.type === 'output');
  return withoutRepeats(saved.length > 0 ? saved : files.filter((file) => file.type === 'temp'));
}

function toSubmittedNode(nodeId: string, meta: unknown): string {
  const entries = toRecord(meta);
  const meant = Object.hasOwn(entries, nodeId) ? toId(toRecord(entries[nodeId])['real_node_id']) : undefined;
  return meant ?? toId(nodeId) ?? '';
}

function readTexts(value: unknown, nodeId: string, into: PromptOutputs): void {
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  for (const text of texts) {
    if (into.texts.length >= MAX_OUTPUTS) return;
    if (typeof text === 'string') into.texts.push({ nodeId, text });
  }
}

function readFiles(
  value: unknown,
  from: { nodeId: string; key: string },
  into: PromptOutputs,
  seen: Set<string>,
  depth: number,
): void {
  if (typeof value !== 'object' || value === null || depth === 0) return;
  const file = toOutputFile(value, from);
  if (file === undefined) {
    for (const item of Object.values(value)) readFiles(item, from, into, seen, depth - 1);
    return;
  }
  const identity = JSON.stringify([file.nodeId, file.type, file.subfolder, file.filename]);
  if (into.files.length >= MAX_OUTPUTS || seen.has(identity)) return;
  seen.add(identity);
  into.files.push(file);
}

function toOutputFile(value: object, from: { nodeId: string; key: string }): OutputFile | undefined {
  if (!isRecord(value)) return undefined;
  const { filename, type } = value;
  if (typeof filename !== 'string' || filename === '') return undefined;
  if (type !== 'output' && type !== 'temp' && type !== 'input') return undefined;
  const subfolder = toText(value['subfolder']);
  return { nodeId: from.nodeId, filename, subfolder, type, kind: toKind(filename, from.key) };
}

function withoutRepeats(files: OutputFile[]): OutputFile[] {
  const byIdentity = new Map<string, OutputFile>();
  for (const file of files) {
    const identity = JSON.stringify([file.type, file.subfolder, file.filename]);
    if (!byIdentity.has(identity)) byIdentity.set(identity, file);
  }
  return [...byIdentity.values()];
}

const kindsByExtension = new Map<string, OutputType>([
  ...listed('image', 'png jpg jpeg webp gif bmp tif tiff avif apng'),
  ...listed('video', 'mp4 webm mov mkv avi m4v'),
  ...listed('audio', 'wav mp3 flac ogg opus m4a aac'),
  ...listed('text', 'txt md csv srt vtt json'),
  ...listed('latent', 'latent'),
]);

const kindsByKey = new Map<string, OutputType>([
  ['images', 'image'],
  ['gifs', 'video'],
  ['video', 'video'],
  ['videos', 'video'],
  ['audio', 'audio'],
  ['latents', 'latent'],
]);

/** The name goes first: videos are shown under `images` too. */
function toKind(filename: string, key: string): OutputType {
  return kindsByExtension.get(extname(filename).slice(1).toLowerCase()) ?? kindsByKey.get(key) ?? 'file';
}

function listed(kind: OutputType, extensions: string): [string, OutputType][] {
  return extensions.split(' ').map((extension) => [extension, kind]);
}
