import { totalmem, freemem } from 'node:os';
import { empty, json, notFound, text } from '../http-reply.ts';
import { MODEL_FOLDERS } from '../sim-options.ts';
import type { RouteRequest, Routes } from './route.ts';

export const infoRoutes: Routes = {
  'GET /': () => ({
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>Simulated ComfyUI</title><p>This is a simulated ComfyUI. It has no editor.',
  }),
  // A WebSocket request never gets here.
  'GET /ws': () => text('No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".', 400),
  'GET /system_stats': ({ engine }) => json(systemStats(engine)),
  'GET /features': ({ engine }) => {
    const flags = engine.serverFlags();
    return flags ? json(flags) : notFound();
  },
  'GET /object_info': ({ engine }) => json(engine.toldInfo),
  'GET /object_info/:class': ({ engine: { toldInfo }, params: { class: name = '' } }) =>
    json(Object.hasOwn(toldInfo, name) ? { [name]: toldInfo[name] } : {}),
  'GET /models': () => json(MODEL_FOLDERS),
  'GET /models/:folder': ({ engine, params: { folder = '' } }) => {
    const isFolder = MODEL_FOLDERS.includes(folder) || engine.options.models[folder] !== undefined;
    return isFolder ? json(engine.toldModels(folder)) : empty(404);
  },
  'GET /embeddings': ({ engine }) =>
    json((engine.options.models.embeddings ?? []).map((file) => file.replace(/\.\w+$/, ''))),
  'GET /extensions': () => json([]),
  'GET /view_metadata/:folder': () => empty(404),
  'GET /users': () => json({ storage: 'server', migrated: false }),
  'GET /settings': () => json({}),
  'POST /settings': () => empty(),
  'GET /userdata': ({ query }) =>
    query.get('dir') ? text('Directory not found', 404) : text('Directory not provided', 400),
};

function systemStats({ options, models }: RouteRequest['engine']) {
  const device = { name: 'cuda:0 Simulated GPU', type: 'cuda', index: 0 };
  return {
    system: {
      os: 'posix',
      ram_total: totalmem(),
      ram_free: freemem(),
      comfyui_version: options.version,
      required_frontend_version: '1.27.10',
      installed_templates_version: null,
      required_templates_version: '0.1.95',
      python_version: '3.11.7 (simulated)',
      pytorch_version: '2.13.0+simulated',
      embedded_python: false,
      argv: ['main.py', '--port', String(options.port)],
    },
    devices: [
      {
        ...device,
        vram_total: options.vramTotal,
        vram_free: models.freeBytes,
        torch_vram_total: options.vramTotal - models.freeBytes,
        torch_vram_free: 0,
      },
    ],
  };
}
