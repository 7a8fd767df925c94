import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { publishedWorkflowSchema, workflowVersionsSchema } from '@comfy-bridge/protocol';
import type { PublishedWorkflowAnswer, WorkflowVersionsAnswer } from '@comfy-bridge/protocol';
import { expect } from 'vitest';

import { parseBody } from './_requests.ts';
import { workflowsDir } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

/** A graph that the simulated ComfyUIs run, told apart by its width. */
export function graphOf(width: number): Record<string, unknown> {
  return {
    '10': {
      class_type: 'EmptyImage',
      inputs: { width, height: 64, batch_size: 1, color: 0 },
      _meta: { title: 'Empty Image', apiinput: 'width,height' },
    },
    '2': {
      class_type: 'SaveImage',
      inputs: { images: ['10', 0], filename_prefix: 'x' },
      _meta: { title: 'Save Image' },
    },
  };
}

export interface PublishFolder extends AsyncDisposable {
  readonly path: string;
  /** Settings of a bridge that publishes into it. */
  readonly env: Record<string, string>;
  write(fileName: string, content: string): Promise<void>;
}

/** A workflow folder to publish into: the samples, or nothing. */
export async function makeFolder({ samples = false } = {}): Promise<PublishFolder> {
  const path = await mkdtemp(join(tmpdir(), 'bridge-publish-'));
  if (samples) await cp(workflowsDir, path, { recursive: true });
  return {
    path,
    env: { WORKFLOW_DIR: path },
    write: (fileName, content) => writeFile(join(path, fileName), content),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

const pathOf = (alias: string, rest = '') => `/api/bridge/workflows/${encodeURIComponent(alias)}${rest}`;

export function put(
  t: TestBridge,
  alias: string,
  body: Record<string, unknown> | string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return t.post(pathOf(alias), body, { method: 'PUT', headers });
}

export async function publish(
  t: TestBridge,
  alias: string,
  body: Record<string, unknown> | string,
  status = 201,
): Promise<PublishedWorkflowAnswer> {
  return await readPublished(put(t, alias, body), status);
}

export async function readPublished(
  answer: Promise<Response> | Response,
  status = 200,
): Promise<PublishedWorkflowAnswer> {
  const { status: actual, headers } = await answer;
  const body = await parseBody(answer);
  expect(actual, JSON.stringify(body)).toBe(status);
  const published = publishedWorkflowSchema.parse(body);
  expect(headers.get('etag')).toBe(`"${published.version}"`);
  return published;
}

export function remove(
  t: TestBridge,
  alias: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return t.get(pathOf(alias), { method: 'DELETE', headers });
}

export function restore(t: TestBridge, alias: string, version: string): Promise<Response> {
  return t.post(pathOf(alias, `/versions/${version}/restore`));
}

export async function versionsOf(t: TestBridge, alias: string): Promise<WorkflowVersionsAnswer> {
  const answer = await t.get(pathOf(alias, '/versions'));
  expect(answer.status).toBe(200);
  return workflowVersionsSchema.parse(await parseBody(answer));
}

/** The text of the file as the bridge gives it. */
export async function fileOf(t: TestBridge, alias: string): Promise<string> {
  const answer = await t.get(pathOf(alias, '/file'));
  expect(answer.status).toBe(200);
  return await answer.text();
}

/** The width in the graph that is published now. */
export async function widthOf(t: TestBridge, alias: string): Promise<unknown> {
  return JSON.parse(await fileOf(t, alias))['10'].inputs.width;
}

/** Aliases as everybody sees them. */
export async function listAliases(t: TestBridge): Promise<string[]> {
  const { workflows } = await parseBody<{ workflows: { alias: string }[] }>(t.get('/api/bridge/workflows'));
  return workflows.map(({ alias }) => alias);
}
