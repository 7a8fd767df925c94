import type { Option } from './option.ts';
import { gigabytes, wholeNumber } from './value-parsers.ts';

/** What one caller may take: a key, or an address where keys are off. A key can have its own. */
export const limitOptions = {
  LIMIT_REQUESTS: {
    section: 'limits',
    description: 'Requests a minute; more are refused with 429. 0: any number.',
    default: '600000',
    parser: wholeNumber({ min: 0, max: 1_000_000_000 }),
  },
  LIMIT_KEY_ATTEMPTS: {
    section: 'limits',
    description: 'Wrong keys and tokens a minute from one address; then they are refused with 429.',
    default: '30',
    parser: wholeNumber({ min: 1, max: 1_000_000 }),
  },
  LIMIT_UNFINISHED_JOBS: {
    section: 'limits',
    description: 'Jobs that wait or run; more are refused with 429. 0: as many as MAX_QUEUED_JOBS.',
    default: '0',
    parser: wholeNumber({ min: 0, max: 1_000_000 }),
  },
  LIMIT_STORED: {
    section: 'limits',
    description:
      'Gigabytes of uploads that one key may have stored; more are refused with 429. 0: as much as STORAGE_QUOTA. Without keys nobody knows whose a file is.',
    default: '0',
    parser: gigabytes({ min: 0, max: 1_000_000 }),
  },
  LIMIT_SOCKETS: {
    section: 'limits',
    description: 'Open WebSockets.',
    default: '20000',
    parser: wholeNumber({ min: 1, max: 1_000_000 }),
  },
  MAX_CONNECTIONS: {
    section: 'server',
    description:
      'Open connections of everybody, and at most three quarters of what the system lets the bridge open. More are refused with 503; where keys are required, whoever has shown none for the longest makes room.',
    default: '25000',
    parser: wholeNumber({ min: 10, max: 1_000_000 }),
  },
  LIMIT_CONNECTIONS: {
    section: 'limits',
    description:
      'Open connections from one address that have shown no key and are no WebSocket; more are refused with 503. 0: any number. Not for this machine and the proxies of TRUST_PROXY; where that is a number of proxies, for nobody.',
    default: '1000',
    parser: wholeNumber({ min: 0, max: 1_000_000 }),
  },
  LIMIT_STREAMS: {
    section: 'limits',
    description: 'Open event streams; there are at most 5,000 for everybody.',
    default: '1000',
    parser: wholeNumber({ min: 1, max: 5_000 }),
  },
} satisfies Record<string, Option>;
