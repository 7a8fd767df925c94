import type { V2Job } from '@comfy-bridge/protocol';

import { CallError, call } from '../../../bridge/call.ts';

/** Hands in a form. One submitter per form. */
export interface Submitter {
  /**
   * Makes one job of the inputs. `signature` is what the person sees in the form: sent again unchanged after an answer that
   * was lost, it is the same request, which makes no second job. Throws `CallError`.
   */
  submit(request: { signature: string; makeInputs: () => Record<string, unknown> }): Promise<V2Job>;
}

const pausesMs = [500, 1_500];

export function createSubmitter(alias: string): Submitter {
  /** The request whose answer never came: nobody knows whether it made a job. */
  let unanswered: { signature: string; key: string; inputs: Record<string, unknown> } | undefined;

  return {
    async submit({ signature, makeInputs }) {
      const request =
        unanswered?.signature === signature
          ? unanswered
          : { signature, key: makeKey(), inputs: makeInputs() };
      unanswered = request;
      try {
        const job = await sendRepeatedly(alias, request);
        unanswered = undefined;
        return job;
      } catch (error) {
        if (error instanceof CallError && error.status > 0 && error.status < 500) unanswered = undefined;
        throw error;
      }
    },
  };
}

async function sendRepeatedly(
  alias: string,
  { key, inputs }: { key: string; inputs: Record<string, unknown> },
): Promise<V2Job> {
  const send = () =>
    call<V2Job>(`api/bridge/workflows/${encodeURIComponent(alias)}/jobs`, {
      method: 'POST',
      headers: { 'Idempotency-Key': key },
      body: { inputs, previews: true },
      deadlineMs: 20_000,
    });
  for (const pauseMs of pausesMs) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof CallError) || error.status !== 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  return await send();
}

/** `crypto.randomUUID` is for pages of https alone, and bridges are often reached without it. */
function makeKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

/** What the bridge says of single inputs: messages by name. */
export function inputErrorsOf(error: CallError): ReadonlyMap<string, string> {
  const { inputs } = error.details;
  if (typeof inputs !== 'object' || inputs === null) return new Map();
  return new Map(
    Object.entries(inputs).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
