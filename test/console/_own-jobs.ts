import type { Page } from 'playwright-core';

import type { TestBridge } from '../../packages/bridge/tests/_start-bridge.ts';

/** Gives a page a secret that the test knows, so that jobs of the test are the page's own. */
export async function shareSecret({ page }: { page: Page }, secret: string): Promise<void> {
  await page.evaluate((value) => localStorage.setItem('comfy-bridge.secret', value), secret);
  await page.reload();
}

export interface OwnJob {
  id: string;
  status: string;
}

/** Hands in a job as the page would; with `wait` it has ended when this resolves. */
export async function submit(
  bridge: TestBridge,
  {
    alias,
    inputs = {},
    secret,
    wait = true,
  }: { alias: string; inputs?: object; secret: string; wait?: boolean },
): Promise<OwnJob> {
  const response = await bridge.post(
    `/api/bridge/workflows/${alias}/jobs`,
    { inputs },
    {
      headers: {
        Authorization: `Bearer ${secret}`,
        'Content-Type': 'application/json',
        ...(wait && { Prefer: 'wait=10' }),
      },
    },
  );
  if (!response.ok) throw new Error(await response.text());
  const job: OwnJob = JSON.parse(await response.text());
  return job;
}
