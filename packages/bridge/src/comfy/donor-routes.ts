import { type CallOptions, type ComfyHttp, parseJsonAnswer, unusableStatus } from './comfy-http.ts';
import { ComfyError } from './comfy-error.ts';
import { type DonorStatus, parseDonorStatus } from './donor-status.ts';

/** Files of one prompt that are of no use any more. */
export interface ForgetRequest extends CallOptions {
  promptId: string;
  /** As the graph names them: `subfolder/name`, below the backend's input folder. */
  inputs: readonly string[];
}

/** `busy`: the prompt is still queued or runs. `not-lent`: the server knows no such route. */
export type ForgetOutcome = 'done' | 'busy' | 'not-lent';

const maxBytes = 64 * 1024;

/** What a machine that is lent says of that; undefined for a stock ComfyUI, which has no such route. */
export async function fetchDonorStatus(http: ComfyHttp, call: CallOptions): Promise<DonorStatus | undefined> {
  const label = 'GET /comfy-bridge/status';
  const answer = await http.send({ ...call, method: 'GET', path: '/comfy-bridge/status', maxBytes });
  if (isUnknownRoute(answer.status)) return undefined;
  if (answer.status !== 200) throw unusableStatus(answer.status, label);
  const status = parseDonorStatus(parseJsonAnswer(answer, label));
  if (status === undefined) {
    throw new ComfyError('malformed', `${label}: not the answer of that route`, { status: 200 });
  }
  return status;
}

/** Deletes what a prompt left on a machine that is lent: its outputs, its history, and those inputs. Safe to repeat. */
export async function forgetFiles(
  http: ComfyHttp,
  { promptId, inputs, ...call }: ForgetRequest,
): Promise<ForgetOutcome> {
  const { status } = await http.send({
    ...call,
    method: 'POST',
    path: '/comfy-bridge/forget',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt_id: promptId, inputs: inputs.map(toInputFile) }),
    maxBytes,
  });
  if (status === 200) return 'done';
  if (status === 409) return 'busy';
  if (isUnknownRoute(status)) return 'not-lent';
  throw unusableStatus(status, 'POST /comfy-bridge/forget');
}

/** A proxy may want to see who asks before it tells that there is nothing. */
function isUnknownRoute(status: number): boolean {
  return status === 401 || status === 403 || status === 404 || status === 405;
}

function toInputFile(value: string): { name: string; subfolder: string; type: 'input' } {
  const slash = value.lastIndexOf('/');
  return { name: value.slice(slash + 1), subfolder: value.slice(0, Math.max(0, slash)), type: 'input' };
}
