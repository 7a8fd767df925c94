import type { JobInputs } from '@comfy-bridge/protocol';

export type SentFileEntry = JobInputs['files'][string];

/** A value as text: what is no text already, as JSON. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

export const isGraph = (workflow: string): boolean => workflow.startsWith('graph:');
