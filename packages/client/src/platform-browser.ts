import type { Platform } from './bridge.ts';
import { BridgeError } from './errors.ts';

/**
 * No files by their path. A browser opens six connections to a server that speaks HTTP/1.1: streams must leave some of them to
 * everything else.
 */
export const browserPlatform: Platform = { maxStreams: 3, openFile: refuse, writeFile: refuse };

async function refuse(): Promise<never> {
  throw new BridgeError(
    'not_in_browser',
    'only Node.js has paths: give a File, and take the blob() of an output',
  );
}
