import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createBufferWindow } from '../src/files/file-window.ts';
import { applyEdits } from '../src/files/strip/edits.ts';
import { planStrip } from '../src/files/strip/strip-metadata.ts';

/** Stands wherever a file can hold words. */
export const secret = 'SECRET-NAME';

/** The recordings of `fixtures/media`, by content type. */
export const recordings = {
  'clip.mp4': 'video/mp4',
  'front.mp4': 'video/mp4',
  'pieces.mp4': 'video/mp4',
  'clip.mov': 'video/quicktime',
  'clip.webm': 'video/webm',
  'live.webm': 'video/webm',
  'clip.mkv': 'video/x-matroska',
  'sound.mp3': 'audio/mpeg',
  'sound.aac': 'audio/aac',
  'sound.wav': 'audio/wav',
  'sound.flac': 'audio/flac',
  'sound.ogg': 'audio/ogg',
  'sound.m4a': 'audio/mp4',
} as const;

export type RecordingName = keyof typeof recordings;

export function readRecording(name: RecordingName): Promise<Buffer> {
  return readFile(join(import.meta.dirname, 'fixtures/media', name));
}

/** Throws where it cannot be stripped. */
export async function strip(contentType: string, bytes: Buffer): Promise<Buffer> {
  const plan = await planStrip(contentType, createBufferWindow(bytes));
  if (!plan.ok) throw new Error(plan.reason);
  return applyEdits(bytes, plan.edits);
}
