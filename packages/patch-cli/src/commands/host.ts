import type { Disk } from '../disk/disk.ts';
import type { Refusal } from '../plan/refusals.ts';

/** What a server answered, or why it did not. */
export type Answer =
  | { kind: 'answer'; status: number; body: string }
  | { kind: 'refused' }
  | { kind: 'timed-out' }
  | { kind: 'failed'; reason: string };

export interface Request {
  url: string;
  method: 'GET' | 'POST';
  body?: string;
  timeoutMs: number;
}

/** How a program ended; undefined when there is none of that name. */
export type Ended = { code: number | null; output: string } | undefined;

/** Everything outside that the commands reach. */
export interface Host {
  disk: Disk;
  version: string;
  /** What this package installs: see `loadPayload`. */
  payloadFolder: string;
  temporaryFolder: string;
  hostName: string;
  isWindows: boolean;
  /** Of this process; undefined on Windows. */
  userId: number | undefined;
  now(): Date;
  makeToken(): string;
  ask(request: Request): Promise<Answer>;
  /** With a deadline of ten seconds. */
  runProgram(command: string, args: readonly string[]): Promise<Ended>;
}

/** What a command has to say: to people in lines, to programs as data. */
export type Report =
  | { ok: true; lines: string[]; data: Record<string, unknown>; exitCode?: 0 | 1 }
  | { ok: false; refusal: Refusal };
