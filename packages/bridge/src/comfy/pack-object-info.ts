import { hash } from 'node:crypto';

import { isRecord } from '../lib/is-record.ts';
import { isDeeperThan } from '../lib/json-depth.ts';
import { parseObjectInfo } from './object-info.ts';
import type { NodeDefinition, NodeInputSpec } from './object-info.ts';
import { cutOptions } from './option-list.ts';
import type { Options } from './option-list.ts';
import { parsePythonJson } from './python-json.ts';

/** A definition whose lists of choices are named by their content instead of written out. */
export interface PackedDefinition extends Omit<NodeDefinition, 'inputs'> {
  inputs: ReadonlyMap<string, PackedInput>;
}

export interface PackedInput extends Omit<NodeInputSpec, 'options'> {
  /** The hash of its list of choices. */
  list?: string;
}

export interface PackedClass {
  classType: string;
  /** Equal hashes, equal definitions, choices included. */
  hash: string;
  /** Characters of the packed definition, roughly. */
  size: number;
}

/** What a backend offers, cut into pieces that are named by their content: who knows a piece need not be given it. */
export interface PackedOffer {
  /** Equal for equal content, in whatever order it was listed. */
  signature: string;
  classes: readonly PackedClass[];
  /** Of the class at the same place. */
  definitions: readonly PackedDefinition[];
  /** Of each list, the hashes of its pieces. */
  lists: ReadonlyMap<string, readonly string[]>;
  pieces: ReadonlyMap<string, Options>;
}

export type PackOutcome =
  | { ok: true; offer: PackedOffer }
  /** `problem`: what is wrong with it, in words for the operator. */
  | { ok: false; problem: string };

/** Many times what the largest installations have; whoever tells more would only fill our memory. */
const limits = { classes: 50_000, options: 1_000_000, definitionSize: 1024 * 1024, depth: 100 };

/** The hash of an answer, as it came. */
export function hashBody(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url');
}

/** Reads the body of `GET /object_info`. Never throws for what is in it. */
export function packObjectInfo(bytes: Buffer): PackOutcome {
  const text = bytes.toString('utf8');
  // A default may be any JSON, and is written again further down, which goes down by calls.
  if (isDeeperThan(text, limits.depth))
    return { ok: false, problem: 'its list of nodes is nested too deeply' };
  let json: unknown;
  try {
    json = parsePythonJson(text);
  } catch {
    return { ok: false, problem: 'its list of nodes is not JSON' };
  }
  if (!isRecord(json)) return { ok: false, problem: 'its list of nodes is none' };
  const problem = findContradiction(json);
  return problem === undefined ? packDefinitions(json) : { ok: false, problem };
}

/**
 * Each class is listed under its name and says it again. A few that differ are node packs of their own mind; when most do,
 * something between here and there mixes answers up.
 */
function findContradiction(json: Record<string, unknown>): string | undefined {
  const entries = Object.entries(json);
  const others = entries.filter(
    ([classType, value]) =>
      isRecord(value) && typeof value['name'] === 'string' && value['name'] !== classType,
  );
  return others.length * 2 > entries.length ? 'its list of nodes contradicts itself' : undefined;
}

function packDefinitions(json: Record<string, unknown>): PackOutcome {
  const lists = new Map<string, readonly string[]>();
  const pieces = new Map<string, Options>();
  const classes: PackedClass[] = [];
  const definitions: PackedDefinition[] = [];
  let options = 0;

  function packList(list: Options): string {
    const listHash = hashOf(list);
    if (lists.has(listHash)) return listHash;
    const cut = cutOptions(list).map((piece) => {
      const pieceHash = hashOf(piece);
      if (!pieces.has(pieceHash)) options += piece.length;
      pieces.set(pieceHash, piece);
      return pieceHash;
    });
    lists.set(listHash, cut);
    return listHash;
  }

  for (const definition of parseObjectInfo(json).values()) {
    const inputs = new Map<string, PackedInput>();
    for (const [name, { options: list, ...spec }] of definition.inputs)
      inputs.set(name, list === undefined ? spec : { ...spec, list: packList(list) });
    const text = JSON.stringify([definition, [...inputs]]);
    if (text.length > limits.definitionSize) continue;
    classes.push({ classType: definition.classType, hash: hashOf(text), size: text.length });
    definitions.push({ ...definition, inputs });
    if (classes.length > limits.classes || options > limits.options)
      return { ok: false, problem: 'its list of nodes is longer than any real one' };
  }
  if (classes.length === 0) return { ok: false, problem: 'its list of nodes names no node' };
  const signature = hashOf(classes.map((each) => each.hash).toSorted());
  return { ok: true, offer: { signature, classes, definitions, lists, pieces } };
}

function hashOf(value: unknown): string {
  return hash('sha256', typeof value === 'string' ? value : JSON.stringify(value), 'base64url');
}
