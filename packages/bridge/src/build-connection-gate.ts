import { isLoopback } from './config/bridge-config.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import type { Events } from './events.ts';
import { createConnectionGate } from './lib/connection-gate.ts';
import type { ConnectionGate } from './lib/connection-gate.ts';
import { boundConnections, readOpenFilesLimit } from './lib/open-files.ts';
import type { Logger } from './logging.ts';

/**
 * A part of the composition root: how many connections may be open. Of one address they are not counted where they are many
 * callers', as a proxy's are, or this machine's: that may be a proxy that nobody has named.
 */
export function buildConnectionGate(
  { limits, operator }: Pick<BridgeConfig, 'limits' | 'operator'>,
  deps: { isTrustedProxy(address: string): boolean; events: Events; log: Logger },
): ConnectionGate {
  const { isTrustedProxy, events, log } = deps;
  const openFiles = readOpenFilesLimit();
  const total = boundConnections(limits.connections, openFiles);
  if (total < limits.connections)
    log.info({ openFiles, connections: total }, 'the system allows fewer connections than MAX_CONNECTIONS');
  return createConnectionGate(
    {
      isExempt: (address) => isLoopback(address.replace(/^::ffff:/i, '')) || isTrustedProxy(address),
      onRefused: (refused) => events.emit('connections:refused', refused),
    },
    { total, perAddress: limits.connectionsPerAddress, evictsStrangers: operator.keysRequired },
  );
}
