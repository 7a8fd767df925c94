import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import type { RecordCollections } from '../lib/records.ts';

/** What a link leads to. */
export interface LinkTarget {
  jobId: string;
  /** ms since the epoch, a whole second */
  expiresAt: number;
}

/**
 * Links to the results of a job for whoever has them. Nothing is kept of a link: it holds the job and its own end, and a proof
 * that this bridge made it.
 */
export interface ResultLinks {
  issue(target: LinkTarget): string;
  /** Undefined for what this bridge has not made, and for what is over: nobody can tell these apart. */
  open(token: string): LinkTarget | undefined;
}

type LinkRecords = Pick<RecordCollections, 'readRecord' | 'addRecord'>;

const collection = 'link-key';
const recordKey = 'key';
const keyBytes = 32;
const idBytes = 16;
const endBytes = 6;
/** Of SHA-256's 32: no more can be tried than requests are answered. */
const proofBytes = 24;
const contentBytes = idBytes + endBytes;
/** In base64url, which has one form for each token: 46 bytes leave no bits over. */
const form = /^[\w-]{62}$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The key is made once and kept with the jobs, so that links outlive a restart. */
export async function createResultLinks({
  records,
  now,
}: {
  records: LinkRecords;
  now: () => number;
}): Promise<ResultLinks> {
  const key = await readKey(records);

  const prove = (content: Buffer) =>
    createHmac('sha256', key).update('result link 1\n').update(content).digest().subarray(0, proofBytes);

  return {
    issue({ jobId, expiresAt }) {
      if (!uuid.test(jobId)) throw new Error('a link leads to a job');
      const content = Buffer.alloc(contentBytes);
      content.write(jobId.replaceAll('-', ''), 'hex');
      content.writeUIntBE(Math.floor(expiresAt / 1000), idBytes, endBytes);
      return Buffer.concat([content, prove(content)]).toString('base64url');
    },
    open(token) {
      const bytes = form.test(token) ? Buffer.from(token, 'base64url') : undefined;
      if (bytes?.length !== contentBytes + proofBytes || bytes.toString('base64url') !== token)
        return undefined;
      const content = bytes.subarray(0, contentBytes);
      if (!timingSafeEqual(bytes.subarray(contentBytes), prove(content))) return undefined;
      const expiresAt = content.readUIntBE(idBytes, endBytes) * 1000;
      if (expiresAt <= now()) return undefined;
      const hex = content.toString('hex', 0, idBytes);
      return { jobId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'), expiresAt };
    },
  };
}

async function readKey(records: LinkRecords): Promise<Buffer> {
  await records.addRecord(collection, recordKey, randomBytes(keyBytes).toString('base64url'));
  const key = Buffer.from((await records.readRecord(collection, recordKey)) ?? '', 'base64url');
  if (key.length !== keyBytes)
    throw new Error('the key of links is damaged in the job store: remove the record "link-key"');
  return key;
}
