import { createServer } from 'node:net';

import { z } from 'zod';

import type { BridgeConfig } from '../../config/bridge-config.ts';
import { codeOf } from '../../lib/disk.ts';
import { urlOf } from '../find-bridge.ts';
import type { Report } from './finding.ts';

const healthSchema = z.object({ status: z.literal('ok') });
const answerMs = 3_000;

/** The URL of the bridge that runs where the settings say; undefined when none does. */
export async function findRunning({ server }: BridgeConfig, report: Report): Promise<string | undefined> {
  const about = { about: 'bridge', name: 'port' } as const;
  if (server.port === 0) {
    const text = 'PORT=0 takes any free port, so nobody knows where a bridge is: name it with --url';
    report({ ...about, level: 'skip', text });
    return undefined;
  }
  const url = urlOf(server);
  if (await isBridge(url)) {
    report({ ...about, level: 'ok', text: `a bridge runs at ${url}` });
    return url;
  }
  const problem = await tryPort(server);
  const at = `${server.host}:${server.port}`;
  if (problem === undefined) report({ ...about, level: 'ok', text: `${at} is free; no bridge runs there` });
  else report({ ...about, level: 'fail', ...describe(problem, at) });
  return undefined;
}

export async function isBridge(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(answerMs) });
    return healthSchema.safeParse(await answer.json()).success;
  } catch {
    return false;
  }
}

/** Why one cannot listen there; undefined when one can. */
async function tryPort({ host, port }: BridgeConfig['server']): Promise<string | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host, port, exclusive: true }, resolve);
    });
    return undefined;
  } catch (error) {
    return codeOf(error) || String(error);
  } finally {
    server.close();
  }
}

function describe(code: string, at: string): { text: string; fix: string } {
  switch (code) {
    case 'EADDRINUSE':
      return { text: `${at} is taken by another program`, fix: 'stop that one, or set another PORT' };
    case 'EACCES':
      return { text: `this user may not use ${at}`, fix: 'set a PORT above 1023' };
    case 'EADDRNOTAVAIL':
      return { text: `${at} is no address of this machine`, fix: 'set HOST to one that is' };
    default:
      return { text: `nobody can listen on ${at} (${code})`, fix: 'look at HOST and PORT' };
  }
}
