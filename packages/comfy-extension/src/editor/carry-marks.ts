import type { ComfyApp } from './comfy-types.ts';
import { withMarks } from './export-api.ts';
import type { Session } from './session.ts';
import { carriesMarks } from './settings.ts';

const wrapped = new WeakSet<ComfyApp['graphToPrompt']>();

/**
 * Makes the editor's own Export (API) carry the marks, by adding them to what `app.graphToPrompt` gives. What goes wrong with
 * marks never stops an export or a run. A second call changes nothing.
 */
export function carryMarks(session: Session): void {
  const { app } = session;
  const original = app.graphToPrompt;
  if (typeof original !== 'function' || wrapped.has(original)) return;
  const graphToPrompt: ComfyApp['graphToPrompt'] = async function (this: unknown, ...args) {
    const parts = await original.apply(this ?? app, args);
    const graph = args[0] ?? session.rootGraph();
    if (graph !== session.rootGraph()) return parts;
    try {
      if (carriesMarks(session)) parts.output = withMarks(session, parts.output);
    } catch {
      // The plain export is still right, and better than none.
    }
    return parts;
  };
  wrapped.add(graphToPrompt);
  app.graphToPrompt = graphToPrompt;
}
