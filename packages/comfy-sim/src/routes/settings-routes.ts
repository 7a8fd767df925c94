import { empty, json, serverError, text, type Reply } from '../http-reply.ts';
import { isRecord } from '../wire.ts';
import type { Routes } from './route.ts';

const MAX_BYTES = 1024 * 1024;

/** `/settings`: what the editor was set to, for everybody who opens it. In memory. */
export function settingsRoutes(): Routes {
  let settings: Record<string, unknown> = {};
  const keep = (changes: Record<string, unknown>): Reply => {
    const changed = { ...settings, ...changes };
    if (Buffer.byteLength(JSON.stringify(changed)) > MAX_BYTES) return text('too many settings', 413);
    settings = changed;
    return empty();
  };
  return {
    'GET /settings': () => json(settings),
    'GET /settings/:id': ({ params: { id = '' } }) => json(Object.hasOwn(settings, id) ? settings[id] : null),
    'POST /settings': ({ json: body }) => {
      const changes = body();
      return isRecord(changes) ? keep(changes) : serverError();
    },
    'POST /settings/:id': ({ params: { id = '' }, json: body }) => keep({ [id]: body() }),
  };
}
