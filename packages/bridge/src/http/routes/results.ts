import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';

import { Router } from 'express';
import type { Response } from 'express';

import { BridgeError } from '../../errors.ts';
import type { FileStore } from '../../files/file-store.ts';
import { createBase64JsonBody } from '../../files/write-base64-json.ts';
import { createMultipartBody } from '../../files/write-multipart.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { createKeyedMutex } from '../../lib/keyed-mutex.ts';
import { reachPoint } from '../../lib/crash-point.ts';
import { requireClientId } from '../requests/client-id.ts';
import { untilReceived } from '../answers/until-received.ts';

export interface ResultRoutesDeps {
  ledger: JobLedger;
  files: FileStore;
  now: () => number;
}

export interface ResultRoutes {
  router: Router;
  /** Resolves when every delivery under way is written down: a stop in between would deliver it twice. */
  untilDelivered(): Promise<void>;
}

/** `GET /history`: the results of a client's job, once. They go only after the last byte was sent. */
export function createResultRoutes({ ledger, files, now }: ResultRoutesDeps): ResultRoutes {
  const router = Router();
  /** Of two that ask at the same time, the second waits for the first and then finds nothing left. */
  const deliveries = createKeyedMutex();

  router.get('/history', async (request, response) => {
    const clientId = requireClientId(request);
    const resType = readResType(request.query['resType']);
    await deliveries.run(clientId.kept, async () => {
      const job = await ledger.latestOf(clientId.kept);
      if (job === undefined) return sendNothing(response, `unknown clientId ${clientId.told}`);
      const { state } = job;
      if (state.status === 'failed') throw new BridgeError('job_failed', state.error.message);
      if (state.status === 'canceled') throw new BridgeError('job_failed', 'the job was interrupted');
      if (state.status === 'expired') return sendNothing(response, 'the results have expired');
      if (state.status !== 'succeeded') return sendNothing(response, 'the job is not finished yet');
      if (job.deliveredAt !== null) return sendNothing(response, 'the results were delivered already');
      const sent = await sendResults(response, resType, toParts(files, job, state.results));
      if (!sent) return;
      await ledger.apply(job.id, { type: 'delivered', at: now() });
      reachPoint('job-delivered');
    });
  });

  return { router, untilDelivered: () => deliveries.idle() };
}

type ResType = 'multipart' | 'base64';

function readResType(value: unknown): ResType {
  if (value === undefined || value === '' || value === 'multipart') return 'multipart';
  if (value === 'base64') return 'base64';
  throw new BridgeError('bad_request', 'resType is multipart or base64');
}

/** A 204 has no body: its reason stands in a header. */
function sendNothing(response: Response, reason: string): void {
  response.setHeader('X-Detail', reason);
  response.status(204).end();
}

interface ResultPart {
  name: string;
  fileName: string;
  contentType: string;
  size: number;
  open(): Promise<Readable>;
}

function toParts(files: FileStore, job: Job, results: readonly JobResult[]): ResultPart[] {
  return results.map(({ index, fileName, contentType, size }, position) => ({
    name: `result_${position}`,
    fileName,
    contentType,
    size,
    open: async () => (await files.open(`results/${job.id}/${index}`)).stream,
  }));
}

/** True once everything was sent; false when the client went away meanwhile, so that it can come again. */
async function sendResults(response: Response, resType: ResType, parts: ResultPart[]): Promise<boolean> {
  const body = resType === 'base64' ? createBase64JsonBody(parts) : createMultipartBody(parts);
  reachPoint('delivery-started');
  response.setHeader('Content-Type', body.contentType);
  response.setHeader('Content-Length', String(body.contentLength));
  if (response.req.method === 'HEAD') {
    body.stream.destroy();
    response.end();
    return false;
  }
  const { socket } = response.req;
  try {
    await pipeline(body.stream, response);
    reachPoint('delivery-sent');
    return await untilReceived(socket, body.contentLength);
  } catch (error) {
    if (response.destroyed && isClientGone(error)) return false;
    throw error;
  }
}

function isClientGone(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
