import { randomBytes, randomUUID } from 'node:crypto';

import { z } from 'zod';

import { isLoopback } from '../../config/bridge-config.ts';
import { apiPath, reasonOf } from '../call-bridge.ts';
import type { BridgeCaller } from '../call-bridge.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import type { BridgeAddress } from '../find-bridge.ts';
import { toPlainText } from '../display-width.ts';
import type { Finding, Report } from './finding.ts';
import { sendHead } from './raw-request.ts';

const about = 'proxy';
const documentSchema = z.object({ servers: z.array(z.object({ url: z.string() })) });
const jobsSchema = z.object({ jobs: z.array(z.object({ id: z.string() })) });
const answerMs = 5_000;
/** As UPLOAD_MAX_SIZE is by default. */
const uploadBytes = 100 * 1024 ** 2;

/** How the bridge is seen from here, through whatever is in front of it. */
export async function checkProxy(caller: BridgeCaller, report: Report): Promise<void> {
  await checkOrigin(caller, report);
  await checkOperators(caller.address, report);
  for (const check of [checkSocket, checkBodySize]) {
    const finding = await check(caller.address).catch((error: unknown) => failed(check.name, error));
    report(finding);
  }
  report(await checkStream(caller));
}

function headersOf({ key }: BridgeAddress): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

function failed(name: string, error: unknown): Finding {
  return { about, name, level: 'fail', text: reasonOf(error), fix: 'look at the proxy and its log' };
}

/** The description of its API says under which address the bridge believes to be called. */
async function checkOrigin(caller: BridgeCaller, report: Report): Promise<void> {
  const name = 'X-Forwarded-Proto';
  try {
    const { value } = await caller.read(documentSchema, '/openapi.json');
    const believed = value.servers[0]?.url ?? '';
    const [seen, meant] = [URL.parse(believed), new URL(caller.address.url)];
    if (seen?.protocol !== meant.protocol)
      report({
        ...{ about, name, level: 'fail', text: toPlainText(`the bridge takes itself for ${believed}`) },
        fix: 'have the proxy send X-Forwarded-Proto, and set TRUST_PROXY to its address (loopback on this machine)',
      });
    else if (
      seen.host !== meant.host ||
      seen.pathname.replace(/\/$/, '') !== meant.pathname.replace(/\/$/, '')
    )
      report({
        ...{
          about,
          name: 'Host',
          level: 'fail',
          text: toPlainText(`the bridge takes itself for ${believed}`),
        },
        fix: 'have the proxy pass the Host header on, and set BASE_PATH to the path that it adds',
      });
    else report({ about, name, level: 'ok', text: `the bridge knows that it is ${caller.address.url}` });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    report({ about, name, level: 'skip', text: error.message.replaceAll('\n', ' ') });
  }
}

/** Without a key, operators are those on the bridge's own machine: a proxy that does not say for whom it asks is one. */
async function checkOperators({ url }: BridgeAddress, report: Report): Promise<void> {
  const name = 'X-Forwarded-For';
  if (isLoopback(new URL(url).hostname)) return;
  const answer = await sendHead(`${url}${apiPath('backends')}`, {
    ...{ method: 'GET', headers: {}, timeoutMs: answerMs },
  }).catch(() => undefined);
  if (answer === undefined) return report({ about, name, level: 'skip', text: 'it did not answer in time' });
  if (answer.status === 200)
    return report({
      ...{ about, name, level: 'fail', text: 'everybody who reaches it is an operator, without a key' },
      fix: 'have the proxy send X-Forwarded-For, and set OPERATOR_TOKEN or KEYS=required',
    });
  report({ about, name, level: 'ok', text: 'operators need more than to reach it' });
}

async function checkSocket(address: BridgeAddress): Promise<Finding> {
  const name = 'WebSocket';
  const answer = await sendHead(`${address.url}/ws?clientId=doctor-${randomUUID()}`, {
    method: 'GET',
    headers: {
      ...headersOf(address),
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    },
    timeoutMs: answerMs,
  });
  if (answer?.status === 101) return { about, name, level: 'ok', text: 'opens' };
  if (answer?.status === 401)
    return { about, name, level: 'skip', text: 'needs a key: COMFY_BRIDGE_KEY or --key-file' };
  const text = answer === undefined ? 'is not answered in time' : `does not open (HTTP ${answer.status})`;
  return {
    about,
    name,
    level: 'fail',
    text,
    fix: 'have the proxy pass Upgrade and Connection on, with HTTP/1.1',
  };
}

/** A proxy refuses by the length that is announced. The bridge reads, or refuses in its own words. */
async function checkBodySize(address: BridgeAddress): Promise<Finding> {
  const name = 'uploads';
  const answer = await sendHead(`${address.url}/api/v2/assets`, {
    method: 'POST',
    headers: {
      ...headersOf(address),
      'content-type': 'multipart/form-data; boundary=doctor',
      'content-length': String(uploadBytes),
    },
    timeoutMs: 1_500,
  });
  if (answer?.status !== 413 || answer.text.startsWith('{'))
    return { about, name, level: 'ok', text: 'a file of 100 MB is let through' };
  const fix = 'raise its limit: client_max_body_size in nginx, to what UPLOAD_MAX_SIZE needs';
  return { about, name, level: 'fail', text: 'the proxy refuses a file of 100 MB', fix };
}

/** A proxy that collects answers would hold back what happens to a job until its end. */
async function checkStream(caller: BridgeCaller): Promise<Finding> {
  const name = 'event streams';
  try {
    const query = {
      status: 'queued,running',
      limit: 1,
      ...(caller.address.key !== undefined && { owner: 'me' }),
    };
    const { value } = await caller.read(jobsSchema, apiPath('jobs'), { query });
    const [job] = value.jobs;
    if (job === undefined)
      return { about, name, level: 'skip', text: 'need a job that waits or runs to be looked at' };
    const answer = await sendHead(`${caller.address.url}${apiPath('jobs', job.id, 'events')}`, {
      method: 'GET',
      headers: { ...headersOf(caller.address), accept: 'text/event-stream' },
      timeoutMs: answerMs,
    });
    if (answer !== undefined && answer.text !== '') return { about, name, level: 'ok', text: 'come at once' };
    const text = 'are held back';
    return { about, name, level: 'fail', text, fix: 'switch off buffering: proxy_buffering off in nginx' };
  } catch (error) {
    if (error instanceof CliError && error.exitCode === exitCodes.refused)
      return { about, name, level: 'skip', text: error.message.replaceAll('\n', ' ') };
    return failed(name, error);
  }
}
