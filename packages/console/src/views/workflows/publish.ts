import type { PublishedWorkflowAnswer } from '@comfy-bridge/protocol';

import { call } from '../../bridge/call.ts';

export interface Publication {
  alias: string;
  /** The file as text: it goes to the bridge as it was written, digit for digit. */
  workflow: string;
  /** Left out: stays as it is. */
  description?: string;
  /** Base64; null: none; left out: stays as it is. */
  thumbnail?: string | null;
  /** The version that it replaces, null: none; the bridge refuses when somebody was faster. */
  previous: string | null;
}

export async function publish({
  alias,
  workflow,
  description,
  thumbnail,
  previous,
}: Publication): Promise<PublishedWorkflowAnswer> {
  const rest = JSON.stringify({
    ...(description !== undefined && { description }),
    ...(thumbnail !== undefined && { thumbnail }),
    previous,
  });
  return await call<PublishedWorkflowAnswer>(workflowPath(alias), {
    method: 'PUT',
    body: `{"workflow": ${workflow}, ${rest.slice(1)}`,
    headers: { 'Content-Type': 'application/json' },
    deadlineMs: 60_000,
  });
}

export function workflowPath(alias: string): string {
  return `api/bridge/workflows/${encodeURIComponent(alias)}`;
}

/** `My flow (2).json` → `my-flow-2` */
export function aliasFrom(fileName: string): string {
  return fileName
    .replace(/\.json$/i, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 100);
}

export type ReadFile = { ok: true; text: string } | { ok: false; reason: 'too-large' | 'no-json' };

const maxFileBytes = 20_000_000;

/** A workflow file as it lies on the disk; only whether it is JSON is looked at here. */
export async function readWorkflowFile(file: File): Promise<ReadFile> {
  if (file.size > maxFileBytes) return { ok: false, reason: 'too-large' };
  const text = (await file.text()).replace(/^\uFEFF/, '');
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ok: true, text }
      : { ok: false, reason: 'no-json' };
  } catch {
    return { ok: false, reason: 'no-json' };
  }
}

export async function toBase64(blob: Blob): Promise<string> {
  return await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () =>
      resolve(typeof reader.result === 'string' ? reader.result.replace(/^[^,]*,/, '') : ''),
    );
    reader.addEventListener('error', () => reject(reader.error ?? new Error('the file cannot be read')));
    reader.readAsDataURL(blob);
  });
}
