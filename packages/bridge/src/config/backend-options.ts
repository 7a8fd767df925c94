import { networkList } from './network-parsers.ts';
import type { Option } from './option.ts';
import { serverList } from './server-list.ts';
import { choice, onOff, seconds, share, wholeNumber } from './value-parsers.ts';

/** The ComfyUI servers and how they are watched. */
export const backendOptions = {
  COMFYUI_SERVERS: {
    section: 'backends',
    description:
      'The ComfyUI servers, separated by commas: host:port or a URL, each with a name and a token if wanted.',
    default: undefined,
    defaultText: 'none; `npm start` then starts two simulated ones',
    parser: serverList,
    // A value may hold tokens; the parser shows the wrong item with its secrets hidden.
    secret: true,
  },
  BACKEND_NETWORKS: {
    section: 'backends',
    description:
      'The networks in which ComfyUI servers may be, checked at every connection; link-local, metadata and multicast addresses never.',
    default: 'any',
    parser: networkList,
  },
  WHEN_NO_BACKEND: {
    section: 'backends',
    description:
      'What a new job gets while no ComfyUI can be reached: it waits in the queue, or is refused with 503.',
    default: 'queue',
    parser: choice('queue', 'refuse'),
  },
  BACKEND_SLOTS: {
    section: 'backends',
    description:
      'Prompts given to one ComfyUI at a time: 2 is one that runs and one that is ready to follow.',
    default: '2',
    parser: wholeNumber({ min: 1, max: 2 }),
  },
  PREVIEWS: {
    section: 'backends',
    description: 'Whether ComfyUI is asked for preview images while somebody listens for them.',
    default: 'on',
    parser: onOff,
  },
  BACKEND_CLEANUP: {
    section: 'backends',
    description:
      'Whether a prompt is taken out of the history of its ComfyUI once its results are kept here.',
    default: 'on',
    parser: onOff,
  },
  CANARY_INTERVAL: {
    section: 'backends',
    description:
      'Seconds between two small prompts, on average, by which an idle ComfyUI is tried whose results the bridge knows; one that answers two of them wrongly gets no more jobs. 0: never.',
    default: '0',
    parser: seconds({ min: 0, max: 604_800 }),
  },
  DUPLICATE_SHARE: {
    section: 'backends',
    description:
      'Share of finished jobs that an idle ComfyUI runs a second time, so that their pictures can be compared. 0: none.',
    default: '0',
    parser: share,
  },
  DUPLICATE_TOLERANCE: {
    section: 'backends',
    description: 'How far the pictures of two such runs may be from each other, from 0 (equal) to 1.',
    default: '0.15',
    parser: share,
  },
  CONNECT_TIMEOUT: {
    section: 'backends',
    description: 'Seconds until a connection to a ComfyUI must stand.',
    default: '2',
    parser: seconds({ min: 0.05, max: 60 }),
  },
  PROBE_INTERVAL: {
    section: 'backends',
    description: "Seconds between two checks of a ComfyUI's health.",
    default: '1',
    parser: seconds({ min: 0.05, max: 300 }),
  },
  PROBE_TIMEOUT: {
    section: 'backends',
    description: 'Seconds until a check must be answered.',
    default: '2',
    parser: seconds({ min: 0.05, max: 60 }),
  },
} satisfies Record<string, Option>;
