/** The client for browsers, and for every platform with `fetch`. */
import { createClient } from './bridge.ts';
import { browserPlatform } from './platform-browser.ts';
import type { AnyWorkflows, Bridge, BridgeOptions, WorkflowTypes } from './bridge.ts';

export * from './public.ts';

/** A bridge by its URL. Nothing is asked of it yet. */
export function createBridge<W extends { [A in keyof W]: WorkflowTypes[string] } = AnyWorkflows>(
  options: BridgeOptions,
): Bridge<W> {
  return createClient(options, browserPlatform);
}
