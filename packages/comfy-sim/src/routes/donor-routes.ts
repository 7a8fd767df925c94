import { json, notFound, text, type Reply } from '../http-reply.ts';
import type { RouteRequest, Routes } from './route.ts';

/** Of a machine that is lent; any other answers as it does to what it does not know. */
export const donorRoutes: Routes = {
  'GET /comfy-bridge/status': ({ engine: { options } }) => {
    if (options.donor) return json(options.donor.status());
    // The pack without donor mode, which an editor has.
    return Object.hasOwn(options.extensions, 'comfy-bridge') ? json({ v: 1, lent: false }) : notFound();
  },
  'POST /comfy-bridge/pause': (request) => command(request, 'pause'),
  'POST /comfy-bridge/resume': (request) => command(request, 'resume'),
  'POST /comfy-bridge/forget': ({ engine, json: body }) =>
    engine.options.donor?.forget(engine, body()) ?? text('405: Method Not Allowed', 405),
};

/** The owner's, which the bridge's token does not open. */
function command({ engine }: RouteRequest, what: 'pause' | 'resume'): Reply {
  const { donor } = engine.options;
  if (!donor) return text('405: Method Not Allowed', 405);
  if (donor.isLocked) return json({ error: 'forbidden' }, 403);
  donor[what](engine);
  return json(donor.status());
}
