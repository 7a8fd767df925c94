import type { Option } from './option.ts';
import { choice, filePath, megabytes, onOff, seconds, secondsOrKeep, wholeNumber } from './value-parsers.ts';

/** Jobs, and the clients that wait for them. */
export const jobOptions = {
  JOB_STORE: {
    section: 'jobs',
    description: 'Where jobs are kept: sqlite survives a restart (a file in DATA_DIR), memory does not.',
    default: 'sqlite',
    parser: choice('sqlite', 'memory'),
  },
  ALLOW_ANY_WORKFLOW: {
    section: 'jobs',
    description:
      'Who may run graphs of their own beside the published workflows. loopback: this machine, not through a proxy; operator: who sends OPERATOR_TOKEN; everyone. With keys, authors and operators always may, and keys for some workflows never.',
    default: 'loopback',
    parser: choice('loopback', 'operator', 'everyone'),
  },
  MAX_QUEUED_JOBS: {
    section: 'jobs',
    description: 'Jobs that may wait; more are refused with 429.',
    default: '10000',
    parser: wholeNumber({ min: 1, max: 1_000_000 }),
  },
  MAX_ATTEMPTS: {
    section: 'jobs',
    description: 'How often a job is tried when it loses its ComfyUI.',
    default: '3',
    parser: wholeNumber({ min: 1, max: 100 }),
  },
  HEDGE_SLOW_JOBS: {
    section: 'jobs',
    description:
      'Whether a job that takes far longer than nearly all runs of its workflow is run a second time on an idle ComfyUI; the first one done counts.',
    default: 'off',
    parser: onOff,
  },
  CURRENT_STATE: {
    section: 'jobs',
    description: 'Path of current_state.json, which mirrors the number of generations.',
    default: undefined,
    defaultText: '<DATA_DIR>/current_state.json',
    parser: filePath,
  },
  TIMEOUT_INTERVAL: {
    section: 'client',
    description: 'Seconds between two heartbeats on a WebSocket.',
    default: '1',
    parser: seconds({ min: 0.01, max: 3600 }),
  },
  LIMIT_TIMEOUT_COUNT: {
    section: 'client',
    description:
      'Heartbeats without a job, or without a sign of life of a running one, until the time is out.',
    default: '60',
    parser: wholeNumber({ min: 1, max: 1_000_000_000 }),
  },
  GRACE_SECONDS: {
    section: 'client',
    description:
      'What becomes of a job whose client has left: given up after so many seconds, in which it can come back (0: at once), or keep.',
    default: '5',
    parser: secondsOrKeep({ min: 0, max: 86_400 }),
  },
  MAX_JSON_SIZE: {
    section: 'client',
    description: 'Megabytes per JSON request.',
    default: '10',
    parser: megabytes({ min: 0.001, max: 1024 }),
  },
} satisfies Record<string, Option>;
