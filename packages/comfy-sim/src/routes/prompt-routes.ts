import { randomUUID } from 'node:crypto';
import { empty, json, serverError, type Reply } from '../http-reply.ts';
import { apiError, validatePrompt } from '../validate-prompt.ts';
import { PythonError, str, toBool, toFloat } from '../python-values.ts';
import type { ApiPrompt } from '../wire.ts';
import { isRecord } from '../wire.ts';
import type { RouteRequest, Routes } from './route.ts';

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;

export const promptRoutes: Routes = {
  'GET /prompt': ({ engine }) => json({ exec_info: { queue_remaining: engine.queue.remaining } }),
  'POST /prompt': postPrompt,
  'GET /queue': ({ engine: { queue } }) =>
    json({ queue_running: queue.running ? [queue.running] : [], queue_pending: queue.pending }),
  'POST /queue': ({ engine, json: body }) => {
    const request = body();
    if (!isRecord(request)) return serverError();
    if (toBool(request.clear)) engine.queue.clear();
    for (const id of ids(request.delete)) engine.queue.delete(id);
    return empty();
  },
  'POST /interrupt': ({ engine, body }) => {
    const promptId = interruptTarget(body);
    engine.interrupt(engine.options.features.targetedInterrupt ? promptId : undefined);
    return empty();
  },
  'GET /history': ({ engine, query }) => {
    const [max, offset] = [query.get('max_items'), query.get('offset')].map((value) =>
      value === null ? undefined : Number(value),
    );
    if (Number.isNaN(max) || Number.isNaN(offset)) return serverError();
    return json(engine.queue.historyPage(max, offset ?? -1));
  },
  'GET /history/:id': ({ engine, params }) => json(engine.queue.historyOf(params.id ?? '')),
  'POST /history': ({ engine, json: body }) => {
    const request = body();
    if (!isRecord(request)) return serverError();
    if (toBool(request.clear)) engine.queue.clearHistory();
    for (const id of ids(request.delete)) engine.queue.deleteHistory(id);
    return empty();
  },
  'POST /free': ({ engine, json: body }) => {
    const request = body();
    if (!isRecord(request)) return serverError();
    const cache = toBool(request.free_memory);
    engine.free({ models: toBool(request.unload_models) || cache, cache });
    return empty();
  },
};

function postPrompt({ engine, json: body }: RouteRequest): Reply {
  const request = body();
  // Python's `in` works on a string or a list too, so those only lack a prompt.
  if (!isRecord(request))
    return Array.isArray(request) || typeof request === 'string' ? noPrompt() : serverError();
  const { features } = engine.options;
  const number = 'number' in request ? toFloat(request.number) : engine.nextNumber(toBool(request.front));
  if (!('prompt' in request)) return noPrompt();
  const wantsId = features.clientPromptId && request.prompt_id !== undefined;
  if (wantsId && features.jobsApi && request.prompt_id !== null && !UUID.test(str(request.prompt_id))) {
    const error = apiError('invalid_prompt_id', 'Invalid prompt id', 'prompt_id must be a canonical UUID');
    return json({ error, node_errors: {} }, 400);
  }
  const keepsId = wantsId && !(features.jobsApi && request.prompt_id === null);
  const promptId = keepsId ? str(request.prompt_id) : randomUUID();
  const targets = Array.isArray(request.partial_execution_targets)
    ? request.partial_execution_targets.map(String)
    : undefined;
  const prompt = toPrompt(request.prompt);
  const valid = validatePrompt(prompt, targets, engine.info, (name) => engine.hasInput(name));
  if (!valid.ok) return json({ error: valid.error, node_errors: valid.nodeErrors }, 400);
  if (engine.options.donor) makeAnew(prompt, (type) => engine.info[type]?.output_node === true);
  const extraData = isRecord(request.extra_data) ? request.extra_data : {};
  if ('client_id' in request) extraData.client_id = request.client_id;
  // In milliseconds; what `/api/jobs` tells of each job.
  if (features.jobsApi) extraData.create_time = Date.now();
  engine.submit(number, promptId, prompt, extraData, valid.outputs);
  return json({ prompt_id: promptId, number, node_errors: valid.nodeErrors });
}

/**
 * As the pack of a lent machine does: what its nodes made is deleted afterwards, so a cached answer would name files that are
 * gone. An input that no node knows is left alone by all of them, and makes another entry of the cache.
 */
function makeAnew(prompt: ApiPrompt, isOutput: (type: string) => boolean): void {
  for (const node of Object.values(prompt))
    if (isOutput(node.class_type)) node.inputs.comfy_bridge_run = randomUUID();
}

/** The graph as given: whether each node is one is for the validation to say. */
function toPrompt(value: unknown): ApiPrompt {
  if (isRecord(value)) return value as ApiPrompt;
  if (Array.isArray(value) && value.length === 0) return {};
  throw new PythonError('TypeError', 'list indices must be integers or slices');
}

function noPrompt(): Reply {
  const error = apiError('no_prompt', 'No prompt provided', 'No prompt provided');
  return json({ error, node_errors: {} }, 400);
}

/** A string would be taken letter by letter, which is why sending one instead of a list deletes nothing. */
function ids(value: unknown): string[] {
  if (typeof value === 'string') return [...value];
  return Array.isArray(value) ? value.map(String) : [];
}

function interruptTarget(body: Buffer): string | undefined {
  try {
    const request: unknown = JSON.parse(body.toString());
    return isRecord(request) && request.prompt_id ? str(request.prompt_id) : undefined;
  } catch {
    // No body, or none that is JSON, means: whatever runs.
    return undefined;
  }
}
