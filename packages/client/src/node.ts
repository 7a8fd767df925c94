/** The client for Node.js: as in a browser, and with files by their path. */
import { createClient } from './bridge.ts';
import type { AnyWorkflows, Bridge, BridgeOptions, WorkflowTypes } from './bridge.ts';
import { nodePlatform } from './platform-node.ts';

export * from './public.ts';

/** A bridge by its URL. Nothing is asked of it yet. */
export function createBridge<W extends { [A in keyof W]: WorkflowTypes[string] } = AnyWorkflows>(
  options: BridgeOptions,
): Bridge<W> {
  return createClient(options, nodePlatform);
}
