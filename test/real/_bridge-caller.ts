import { expect } from 'vitest';

import type { BackendDescription, BridgeJob } from '../../packages/protocol/src/index.ts';
import { createCalls } from '../faults/_calls.ts';

/** Somebody who uploads, submits and asks over HTTP; what must be accepted fails the test when it is not. */
export interface BridgeCaller extends AsyncDisposable {
  upload(picture: Uint8Array): Promise<string>;
  /** Under a client id that is the workflow's name. Returns the job's id. */
  submit(workflow: string, inputs: Record<string, unknown>): Promise<string>;
  job(jobId: string): Promise<BridgeJob>;
  /** Waits for the end, which must be a good one; `outcomes`: those of its tries. */
  expectSuccess(jobId: string, outcomes: readonly string[]): Promise<void>;
  results(workflow: string): Promise<Buffer[]>;
  /** What operators are told of a machine. */
  backend(name: string): Promise<BackendDescription | undefined>;
}

export function createCaller(url: () => string): BridgeCaller {
  const calls = createCalls(url, { withinMs: 30_000 });

  async function job(jobId: string): Promise<BridgeJob> {
    return JSON.parse((await calls.get(`/api/bridge/jobs/${jobId}`)).text);
  }

  return {
    async upload(picture) {
      const form = new FormData();
      form.append('image', new Blob([Uint8Array.from(picture)], { type: 'image/png' }), 'mine.png');
      const answer = await calls.upload('/upload', form);
      expect(answer.status, answer.text).toBe(200);
      const { image }: { image: string } = JSON.parse(answer.text);
      return image;
    },
    async submit(workflow, inputs) {
      const body = { workflow, ...inputs };
      const answer = await calls.post(`/generate-based-workflow?clientId=${workflow}`, body);
      expect(answer.status, answer.text).toBe(200);
      const { jobId }: { jobId: string } = JSON.parse(answer.text);
      return jobId;
    },
    job,
    async expectSuccess(jobId, outcomes) {
      const isFinished = async () => (await job(jobId)).finished;
      await expect.poll(isFinished, { timeout: 120_000, interval: 100 }).toBe(true);
      const { status, attempts } = await job(jobId);
      expect({ status, outcomes: attempts.map(({ outcome }) => outcome) }).toEqual({
        status: 'succeeded',
        outcomes,
      });
    },
    async results(workflow) {
      const answer = await calls.get(`/history?clientId=${workflow}&resType=base64`);
      expect(answer.status, answer.text).toBe(200);
      const { files }: { files: { content: string }[] } = JSON.parse(answer.text);
      return files.map(({ content }) => Buffer.from(content, 'base64'));
    },
    async backend(name) {
      const backends: BackendDescription[] = JSON.parse((await calls.get('/api/bridge/backends')).text);
      return backends.find((backend) => backend.name === name);
    },
    [Symbol.asyncDispose]: () => calls[Symbol.asyncDispose](),
  };
}
