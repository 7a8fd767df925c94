import type { ComfyClient, PromptHistory } from '../../comfy/comfy-client.ts';

export type PromptPlace =
  | { at: 'history'; history: PromptHistory }
  | { at: 'running' }
  | { at: 'pending' }
  | { at: 'nowhere' };

/**
 * Where a prompt is on its backend. ComfyUI writes the history before the prompt leaves the queue, so what is in neither,
 * asked in this order and once more, is not there.
 */
export async function locatePrompt(
  client: Pick<ComfyClient, 'history' | 'queue'>,
  promptId: string,
  signal: AbortSignal,
): Promise<PromptPlace> {
  const history = await client.history(promptId, signal);
  if (history !== undefined) return { at: 'history', history };
  const queue = await client.queue(signal);
  if (queue.running.includes(promptId)) return { at: 'running' };
  if (queue.pending.includes(promptId)) return { at: 'pending' };
  const late = await client.history(promptId, signal);
  return late === undefined ? { at: 'nowhere' } : { at: 'history', history: late };
}
