import type { Backend } from './fleet.ts';
import { isPausedByOwner } from './lending.ts';

const deadlineMs = 5_000;

/**
 * Asks a backend to unload its models and free its memory, which it does once nothing runs; not while its owner has
 * paused it: what is loaded then is the owner's. Rejects with `ComfyError`.
 */
export async function unloadModels(backend: Backend): Promise<void> {
  if (isPausedByOwner(backend)) return;
  await backend.client.free({ unloadModels: true, freeMemory: true, deadlineMs });
  backend.warmModels = new Set();
}
