import { setTimeout as sleep } from 'node:timers/promises';

import { BridgeError } from '../../errors.ts';
import { createGate } from '../../lib/gate.ts';
import type { FileContent } from '../file-content.ts';
import { askClamd } from './clamd.ts';
import type { ClamdAddress, ClamdAnswer } from './clamd.ts';

export interface ScannedFile {
  content: FileContent;
  /** bytes */
  size: number;
  /** As the sender called it. */
  fileName: string;
}

/**
 * Why a file is refused, or undefined. Rejects with `BridgeError('unavailable')` where nobody can tell: without the scanner nothing
 * gets through.
 */
export type FileScan = (file: ScannedFile) => Promise<string | undefined>;

export interface FileScanDeps {
  onInfected(file: { fileName: string; size: number; signature: string }): void;
  onUnavailable(cause: unknown): void;
}

export interface FileScanOptions {
  address: ClamdAddress;
  /** False: what cannot be scanned gets through. */
  required: boolean;
  /** For one file, waiting for its turn included. ms */
  deadlineMs?: number;
  /** Between two tries to reach a scanner that is away. ms */
  retryMs?: number;
  atOnce?: number;
}

const tries = 3;

export function createFileScan(
  { onInfected, onUnavailable }: FileScanDeps,
  { address, required, deadlineMs = 120_000, retryMs = 500, atOnce = 4 }: FileScanOptions,
): FileScan {
  const gate = createGate({ limit: atOnce, patienceMs: deadlineMs });

  async function ask(content: FileContent, signal: AbortSignal): Promise<ClamdAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await askClamd(address, content, signal);
      } catch (error) {
        if (attempt >= tries || signal.aborted) throw error;
        await sleep(retryMs, undefined, { signal });
      }
    }
  }

  async function askInTurn(content: FileContent): Promise<ClamdAnswer> {
    const signal = AbortSignal.timeout(deadlineMs);
    const leave = await gate.enter(signal);
    return await ask(content, signal).finally(leave);
  }

  return async ({ content, size, fileName }) => {
    let answer: ClamdAnswer;
    try {
      answer = await askInTurn(content);
    } catch (error) {
      onUnavailable(error);
      if (!required) return undefined;
      const message = 'files cannot be checked for viruses at the moment: try again later';
      throw new BridgeError('unavailable', message, { cause: error, retryAfter: 30 });
    }
    switch (answer.kind) {
      case 'clean':
        return undefined;
      case 'infected':
        onInfected({ fileName, size, signature: answer.signature });
        return `a virus was found in it (${answer.signature})`;
      case 'too-long':
        return required ? 'it is larger than what can be checked for viruses' : undefined;
    }
  };
}
