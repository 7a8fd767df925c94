import { z } from 'zod';

import type { Host, Report } from './host.ts';

export interface LendingOptions {
  /** Of ComfyUI, such as `http://127.0.0.1:8188`. */
  url: URL;
  /** How long to pause; until `resume` when undefined. */
  minutes: number | undefined;
}

const statusSchema = z.object({
  state: z.enum(['available', 'paused']),
  reason: z.string().nullable().optional(),
  until: z.string().nullable().optional(),
});
const timeoutMs = 5_000;

/** `pause` and `resume`: tells the running ComfyUI of this machine. */
export async function changeLending(
  { ask }: Host,
  command: 'pause' | 'resume',
  { url, minutes }: LendingOptions,
): Promise<Report> {
  const path = `${url.pathname.replace(/\/$/, '')}/comfy-bridge/${command}`;
  const body = JSON.stringify(minutes === undefined ? {} : { minutes });
  const answer = await ask({ url: new URL(path, url).href, method: 'POST', body, timeoutMs });
  const where = url.origin;
  if (answer.kind === 'refused')
    return failure(
      'no-comfyui',
      `Nothing answers at ${where}.`,
      'Is ComfyUI running? Name its address with --url.',
    );
  if (answer.kind === 'timed-out')
    return failure(
      'timed-out',
      `${where} did not answer within ${timeoutMs / 1_000} seconds.`,
      'It may be loading; try again.',
    );
  if (answer.kind === 'failed') return failure('failed', `${where}: ${answer.reason}.`, 'Check --url.');
  if (answer.status === 401 || answer.status === 403)
    return failure(
      'forbidden',
      `${where} lets only its owner do that.`,
      'Run this on that machine itself, with --url http://127.0.0.1:8188.',
    );
  if (answer.status === 404 || answer.status === 405)
    return failure(
      'no-donor-mode',
      `${where} is not in donor mode.`,
      'Start ComfyUI with main_adapted.py (install prints the line).',
    );
  if (answer.status === 429) return failure('too-many', `${where} was asked too often.`, 'Wait a minute.');
  const status = answer.status === 200 ? parseStatus(answer.body) : undefined;
  if (status === undefined)
    return failure(
      'odd-answer',
      `${where} gave an answer that is not donor mode's (${answer.status}).`,
      'Check --url.',
    );
  const until = status.until ?? undefined;
  const words =
    status.state === 'available'
      ? 'This machine is lent again.'
      : `Lending is paused${until === undefined ? '' : ` until ${until}`}${until === undefined ? ': resume ends it' : ''}.`;
  return {
    ok: true,
    lines: [words],
    data: { state: status.state, reason: status.reason ?? null, until: until ?? null },
  };
}

function parseStatus(body: string): z.infer<typeof statusSchema> | undefined {
  try {
    return statusSchema.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}

function failure(code: string, message: string, fix: string): Report {
  return { ok: false, refusal: { code, message, fix } };
}
