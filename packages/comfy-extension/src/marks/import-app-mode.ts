import { findHolder, indexHolders } from './find-holder.ts';
import type { Holder, HolderIndex } from './find-holder.ts';
import type { GraphLike } from './graph-types.ts';
import { startImport } from './import-report.ts';
import type { ImportReport } from './import-report.ts';
import { isRecord } from './is-record.ts';
import type { Place } from './walk-graph.ts';

/**
 * Takes the inputs and outputs that the author chose for the editor's App mode (`extra.linearData`, since editor 1.41). Reads
 * it only. Its form has changed several times: an input is `[id, widget name, settings?]`, and the id a node's (number or
 * text), `<graph uuid>:<node id>`, the ids on the way to it (`12:3`), or `<graph uuid>:<node id>:<widget name>` with its
 * parts percent-encoded.
 */
export function importFromAppMode(rootGraph: GraphLike): ImportReport {
  const into = startImport(rootGraph);
  const data = rootGraph.extra?.['linearData'];
  if (!isRecord(data)) return into.report;
  const index = indexHolders(rootGraph);
  for (const input of listOf(data['inputs'])) {
    const [id, name]: unknown[] = Array.isArray(input) ? input : [];
    const read = readId(id);
    const widgetName = read?.widgetName ?? (typeof name === 'string' ? name : '');
    if (read === undefined || widgetName === '') {
      into.leave(show(input), 'unreadable');
      continue;
    }
    const place = findPlace(index, rootGraph, read);
    const holder = (place && findHolder(index, place, widgetName)) ?? findPromoted(index, read, widgetName);
    if (holder !== undefined) into.take(holder, {});
    else into.leave(`${show(id)}/${widgetName}`, place === undefined ? 'no-such-node' : 'no-such-widget');
  }
  for (const output of listOf(data['outputs'])) {
    const read = readId(output);
    const place = read && findPlace(index, rootGraph, read);
    if (place !== undefined) into.takeOutput(place.node);
    else into.leave(show(output), read === undefined ? 'unreadable' : 'no-such-node');
  }
  return into.report;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

interface AppId {
  /** Undefined: `path` starts at the workflow's own graph. */
  graphId: string | undefined;
  path: string;
  widgetName: string | undefined;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function readId(id: unknown): AppId | undefined {
  if (typeof id === 'number') return { graphId: undefined, path: String(id), widgetName: undefined };
  if (typeof id !== 'string' || id === '') return undefined;
  const [first = '', second, third, ...rest] = id.split(':');
  if (!uuid.test(first) || second === undefined)
    return { graphId: undefined, path: id, widgetName: undefined };
  if (third === undefined) return { graphId: first, path: decode(second), widgetName: undefined };
  return { graphId: first, path: decode(second), widgetName: decode([third, ...rest].join(':')) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A graph that is not there is taken for the workflow's own: a copy of a workflow has another id. */
function findPlace(index: HolderIndex, rootGraph: GraphLike, { graphId, path }: AppId): Place | undefined {
  if (graphId === undefined || graphId === rootGraph.id) return index.byPath.get(path);
  const inside = index.places.filter(({ graph }) => graph.id === graphId);
  if (inside.length === 0) return index.byPath.get(path);
  return inside.find(({ node }) => String(node.id) === path);
}

/** Early editors named the inner node of a promoted widget, without the way to it. Only where that is but one. */
function findPromoted({ promoted }: HolderIndex, { path }: AppId, name: string): Holder | undefined {
  const found = [...promoted].filter(([key]) => key.endsWith(`:${path}/${name}`));
  return found.length === 1 ? found[0]?.[1] : undefined;
}

function show(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 200);
}
