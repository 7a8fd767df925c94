import type { Backend } from './fleet.ts';

const deadlineMs = 5_000;

/** Asks a backend to unload its models and free its memory, which it does once nothing runs. Rejects with `ComfyError`. */
export async function unloadModels(backend: Backend): Promise<void> {
  await backend.client.free({ unloadModels: true, freeMemory: true, deadlineMs });
  backend.warmModels = new Set();
}
