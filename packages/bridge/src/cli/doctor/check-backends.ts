import { randomUUID } from 'node:crypto';

import { createComfyClient } from '../../comfy/comfy-client.ts';
import type { ComfyClient } from '../../comfy/comfy-client.ts';
import { ComfyError } from '../../comfy/comfy-error.ts';
import { totalMemory, usableMemory } from '../../comfy/system-stats.ts';
import type { BridgeConfig } from '../../config/bridge-config.ts';
import type { BackendServer } from '../../config/server-list.ts';
import { createFleetRules } from '../../lib/check-address.ts';
import { toPlainText } from '../display-width.ts';
import { formatBytes, formatMs } from '../format-values.ts';
import type { Finding, Report } from './finding.ts';

const about = 'backend';
const socketDeadlineMs = 5_000;
const atOnce = 8;

/** Each ComfyUI of the settings, as the bridge reaches it: same addresses, certificates and deadlines. */
export async function checkBackends({ backends }: BridgeConfig, report: Report): Promise<void> {
  const { servers, networks, connectTimeoutMs, probeTimeoutMs } = backends;
  const addresses = createFleetRules(networks);
  const rest = servers.values();
  async function next(): Promise<void> {
    for (const server of rest) {
      const { url, token, pin } = server;
      const endpoint = {
        url,
        ...(token !== undefined && { token: token.reveal() }),
        ...(pin !== undefined && { pin }),
      };
      await using client = createComfyClient(endpoint, { connectTimeoutMs, addresses });
      // All lines of one machine together.
      const findings: Finding[] = [];
      await checkOne(server, client, probeTimeoutMs, (finding) => findings.push(finding));
      for (const finding of findings) report(finding);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, next));
}

async function checkOne(
  { name }: BackendServer,
  client: ComfyClient,
  probeTimeoutMs: number,
  report: Report,
): Promise<void> {
  try {
    const began = performance.now();
    const stats = await client.systemStats(AbortSignal.timeout(probeTimeoutMs));
    const took = formatMs(performance.now() - began);
    const memory = `${formatBytes(usableMemory(stats))} of ${formatBytes(totalMemory(stats))} usable`;
    const version = toPlainText(stats.version) || 'of unknown version';
    report({ about, name, level: 'ok', text: `ComfyUI ${version} answers in ${took}, ${memory}` });
  } catch (error) {
    report({ about, name, level: 'fail', ...describe(error, 'does not answer') });
    return;
  }
  await checkSocket(name, client, report);
  try {
    const began = performance.now();
    const { size } = await client.objectInfo();
    const text = `lists its nodes: ${formatBytes(size)} in ${formatMs(performance.now() - began)}`;
    report({ about, name, level: 'ok', text });
  } catch (error) {
    report({ about, name, level: 'fail', ...describe(error, 'does not list its nodes') });
  }
  const lent = await client.donorStatus(AbortSignal.timeout(probeTimeoutMs)).catch(() => undefined);
  if (lent === undefined) return;
  const isPaused = lent.state === 'paused';
  const text = isPaused ? 'is lent, and paused by its owner' : 'is lent';
  report({ about, name, level: isPaused ? 'warn' : 'ok', text });
}

async function checkSocket(name: string, client: ComfyClient, report: Report): Promise<void> {
  try {
    const socket = await client.openSocket({
      ...{ clientId: randomUUID(), deadlineMs: socketDeadlineMs },
      onMessage() {},
      onClose() {},
    });
    socket.terminate();
    report({ about, name, level: 'ok', text: 'its WebSocket opens' });
  } catch (error) {
    report({
      ...{ about, name, level: 'fail', ...describe(error, 'its WebSocket does not open') },
      fix: 'a proxy in front of it must let WebSockets through (Upgrade and Connection headers)',
    });
  }
}

function describe(error: unknown, what: string): Pick<Finding, 'text' | 'fix'> {
  if (!(error instanceof ComfyError)) return { text: `${what}: ${String(error)}` };
  const text = toPlainText(`${what}: ${error.message}`);
  switch (error.failure) {
    case 'unreachable':
    case 'timeout':
    case 'aborted':
      return {
        text,
        fix: 'look whether it runs, listens beyond its own machine (--listen), and no firewall or BACKEND_NETWORKS is between',
      };
    case 'status':
      return { text, fix: 'look at its token (;token=…), and at the proxy in front of it' };
    case 'malformed':
    case 'too-large':
      return { text, fix: 'look at the address: is it a ComfyUI?' };
  }
}
