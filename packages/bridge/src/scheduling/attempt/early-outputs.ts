import { readOutputs, selectDelivered } from '../../comfy/read-outputs.ts';
import type { OutputFile } from '../../comfy/read-outputs.ts';
import type { JobResult } from '../../jobs/job.ts';
import type { Logger } from '../../logging.ts';
import type { RunResults } from './run-results.ts';

export interface EarlyOutputsDeps {
  results: Pick<RunResults, 'fetchFile'>;
  /** One is kept here, and can be had. */
  onKept(result: JobResult): void;
  log: Logger;
}

/** Fetches what nodes have saved while the rest of their prompt still runs. */
export interface EarlyOutputs {
  /** A node of the prompt has shown something. */
  take(nodeId: string, output: Record<string, unknown>): void;
  /** The result if it was fetched, or is about to be. Undefined when it was not, or not well: it is worth another try. */
  find(file: OutputFile): Promise<JobResult | undefined>;
  /** Cuts off what is under way; nothing is told any more. Resolves when nothing is being written. */
  stop(): Promise<void>;
}

/** Files of one run that are fetched early; the others come at the end. */
const maxFiles = 1_000;

/**
 * Only what was saved for good: whether a preview is a result is known at the end. What goes wrong here is no failure of
 * the attempt.
 */
export function createEarlyOutputs(
  { results, onKept, log }: EarlyOutputsDeps,
  { outputNodes }: { outputNodes: readonly string[] },
): EarlyOutputs {
  const stopping = new AbortController();
  const fetches = new Map<string, { nodeId: string; result: Promise<JobResult | undefined> }>();

  async function fetchFile(file: OutputFile): Promise<JobResult | undefined> {
    try {
      const kept = await results.fetchFile(file, stopping.signal);
      if (!kept.ok) {
        log.debug({ node: file.nodeId, failure: kept.failure }, 'a result could not be fetched early');
        return undefined;
      }
      if (!stopping.signal.aborted) onKept(kept.result);
      return kept.result;
    } catch (error) {
      if (!stopping.signal.aborted) log.debug({ err: error }, 'a result could not be fetched early');
      return undefined;
    }
  }

  return {
    take(nodeId, output) {
      if (stopping.signal.aborted) return;
      const saved = readOutputs({ [nodeId]: output }).files.filter(({ type }) => type === 'output');
      for (const file of selectDelivered(saved, outputNodes)) {
        const identity = identityOf(file);
        if (fetches.size >= maxFiles) return;
        if (!fetches.has(identity)) fetches.set(identity, { nodeId, result: fetchFile(file) });
      }
    },
    async find(file) {
      const fetch = fetches.get(identityOf(file));
      return fetch?.nodeId === file.nodeId ? fetch.result : undefined;
    },
    async stop() {
      stopping.abort();
      await Promise.all([...fetches.values()].map(({ result }) => result));
    },
  };
}

function identityOf({ type, subfolder, filename }: OutputFile): string {
  return JSON.stringify([type, subfolder, filename]);
}
