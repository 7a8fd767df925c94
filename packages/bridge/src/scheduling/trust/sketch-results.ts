import { buffer } from 'node:stream/consumers';

import { sketchPicture } from '../../files/picture-pixels.ts';
import type { FileStore } from '../../files/file-store.ts';
import type { FilePolicy } from '../../files/collect-result.ts';
import type { Job } from '../../jobs/job.ts';
import type { Sketches } from './compare-sketches.ts';

/** Bytes of one picture that are held in memory for a moment. */
export const mostPictureBytes = 32 * 1024 * 1024;
export const mostPictures = 16;

/**
 * Whether running a job again says anything: it made pictures, not too many and not too large, and brought no keys for paid
 * nodes, which would be paid twice.
 */
export function isComparable({ state, hasCredentials }: Job): boolean {
  if (state.status !== 'succeeded' || hasCredentials) return false;
  const pictures = state.results.filter(({ type }) => type === 'image');
  return (
    pictures.length > 0 &&
    pictures.length <= mostPictures &&
    pictures.every(({ size }) => size <= mostPictureBytes)
  );
}

/** What a finished job's pictures look like, in the order of its outputs. Undefined when one is gone already. */
export async function sketchResults(
  { files, policy }: { files: Pick<FileStore, 'open'>; policy: FilePolicy },
  { id, state }: Job,
): Promise<Sketches | undefined> {
  if (state.status !== 'succeeded') return undefined;
  const pictures = state.results.filter(({ type }) => type === 'image');
  try {
    // Opened first, all of them: a client that fetches its results has them deleted.
    const streams = await Promise.all(
      pictures.map(async ({ index }) => (await files.open(`results/${id}/${index}`)).stream),
    );
    return await Promise.all(streams.map(async (stream) => sketchPicture(await buffer(stream), policy)));
  } catch {
    // Fetched and deleted, or on a disk that does not answer: then there is nothing to compare with.
    return undefined;
  }
}
