import { expect } from 'vitest';
import { asRecord, type ComfyServer, type ComfySocket, type Graph } from './_comfy-server.ts';

/** Submits a graph that must be accepted, and gives the id of its prompt. */
export async function submit(
  server: ComfyServer,
  graph: Graph,
  more: Record<string, unknown> = {},
): Promise<string> {
  const { status, json } = await server.post('/prompt', { prompt: graph, ...more });
  expect(status, JSON.stringify(json)).toBe(200);
  return String(json?.prompt_id);
}

export interface Finished {
  promptId: string;
  entry: Record<string, unknown>;
  outputs: Record<string, Record<string, unknown>>;
}

/** Runs a graph to its end, whatever that is. */
export async function runGraph(
  server: ComfyServer,
  socket: ComfySocket,
  graph: Graph,
  more: Record<string, unknown> = {},
): Promise<Finished> {
  const promptId = await submit(server, graph, { client_id: socket.clientId, ...more });
  await socket.untilDone(promptId);
  const entry = await historyOf(server, promptId);
  const outputs = Object.fromEntries(
    Object.entries(asRecord(entry.outputs)).map(([id, output]) => [id, asRecord(output)]),
  );
  return { promptId, entry, outputs };
}

export async function historyOf(server: ComfyServer, promptId: string): Promise<Record<string, unknown>> {
  const { json } = await server.get(`/history/${promptId}`);
  return asRecord(json?.[promptId]);
}

export interface ImageRef {
  filename: string;
  subfolder: string;
  type: string;
}

/** The pictures that a node shows. */
export function imagesOf(output: Record<string, unknown> | undefined): ImageRef[] {
  const images: unknown = output?.images;
  expect(Array.isArray(images)).toBe(true);
  return (Array.isArray(images) ? images : []).map((image) => {
    const { filename, subfolder, type } = asRecord(image);
    return { filename: String(filename), subfolder: String(subfolder), type: String(type) };
  });
}

export function viewPath({ filename, subfolder, type }: ImageRef): string {
  return `/view?${new URLSearchParams({ filename, subfolder, type }).toString()}`;
}

/** The one prompt error and the errors per node of a refused prompt. */
export async function refusal(server: ComfyServer, body: unknown) {
  const { status, json, text } = await server.post('/prompt', body);
  return { status, text, error: asRecord(json?.error), nodeErrors: asRecord(json?.node_errors) };
}

/** A node's errors, sorted by type: a real server lists them in no fixed order. */
export function errorsOf(nodeErrors: Record<string, unknown>, node: string): Record<string, unknown>[] {
  const { errors } = asRecord(nodeErrors[node]);
  const list = Array.isArray(errors) ? errors.map(asRecord) : [];
  return list.toSorted((one, other) => String(one.type).localeCompare(String(other.type)));
}
