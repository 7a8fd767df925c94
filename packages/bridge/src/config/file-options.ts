import { mimeMap } from './mime-map.ts';
import { socketAddress } from './network-parsers.ts';
import type { Option } from './option.ts';
import {
  codecList,
  neverAlways,
  onOffOrNames,
  filePath,
  gigabytes,
  hours,
  megabytes,
  megapixels,
  onOff,
  wholeNumber,
} from './value-parsers.ts';

/** Workflows, and what is kept on disk. */
export const fileOptions = {
  WORKFLOW_DIR: {
    section: 'workflows',
    description: 'Folder of the workflows in API format, with thumbnail/ and descimage/ beside them.',
    default: 'workflows',
    parser: filePath,
  },
  WORKFLOW_ALIAS: {
    section: 'workflows',
    description: 'Path of workflow_alias.json, which names and describes the workflows.',
    default: undefined,
    defaultText: '<WORKFLOW_DIR>/workflow_alias.json',
    parser: filePath,
  },
  DATA_DIR: {
    section: 'files',
    description: 'Folder of everything that the bridge keeps: jobs, uploads, results.',
    default: 'data',
    parser: filePath,
  },
  UPLOAD_MAX_SIZE: {
    section: 'files',
    description: 'Megabytes per uploaded file.',
    default: '100',
    parser: megabytes({ min: 0.001, max: 1_000_000 }),
  },
  MAX_UPLOAD_FILES: {
    section: 'files',
    description: 'Files per upload request.',
    default: '16',
    parser: wholeNumber({ min: 1, max: 1000 }),
  },
  RESUMABLE_MAX_SIZE: {
    section: 'files',
    description: 'Megabytes per file that is uploaded in pieces, over the resumable uploads.',
    default: '2048',
    parser: megabytes({ min: 0.001, max: 1_000_000 }),
  },
  UPLOAD_TTL_HOURS: {
    section: 'files',
    description:
      'Hours that an uploaded file is kept after its last use, and that a resumable upload may take.',
    default: '24',
    parser: hours({ min: 0.001, max: 87_600 }),
  },
  MAX_RESULT_SIZE: {
    section: 'files',
    description: 'Megabytes per result file of a ComfyUI.',
    default: '1024',
    parser: megabytes({ min: 0.001, max: 1_000_000 }),
  },
  MAX_JOB_RESULT_SIZE: {
    section: 'files',
    description: 'Megabytes of all result files of one job together.',
    default: '8192',
    parser: megabytes({ min: 0.001, max: 10_000_000 }),
  },
  RESULT_TTL_HOURS: {
    section: 'files',
    description: 'Hours that results wait for being fetched.',
    default: '24',
    parser: hours({ min: 0.001, max: 87_600 }),
  },
  STORAGE_QUOTA: {
    section: 'files',
    description:
      'Gigabytes that uploads and results may take together; what does not fit is refused with 507.',
    default: '50',
    parser: gigabytes({ min: 0.001, max: 1_000_000 }),
  },
  MAX_PIXELS: {
    section: 'files',
    description: 'Megapixels per image, uploaded or made.',
    default: '100',
    parser: megapixels({ min: 0.01, max: 10_000 }),
  },
  MAX_MEDIA_SECONDS: {
    section: 'files',
    description: 'Seconds that a sound or video may last, uploaded or made.',
    default: '14400',
    parser: wholeNumber({ min: 1, max: 1_000_000 }),
  },
  ALLOWED_CODECS: {
    section: 'files',
    description:
      'How the pictures and sounds of videos may be coded, separated by commas, as MediaInfo calls it: AVC, AAC, …',
    default: undefined,
    defaultText: 'what ComfyUI reads and writes',
    parser: codecList,
  },
  STRIP_METADATA: {
    section: 'files',
    description:
      'Whether files lose places, names, dates and comments on their way to a ComfyUI; the uploaded file itself stays as it came.',
    default: 'on',
    parser: onOff,
  },
  REENCODE_IMAGES: {
    section: 'files',
    description:
      'Whether pictures are coded anew on their way to a ComfyUI, so that nothing of the uploaded file but its pixels arrives. BMP is left as it is.',
    default: 'never',
    parser: neverAlways,
  },
  STRIP_WORKFLOW_METADATA: {
    section: 'files',
    description:
      'Whether results lose the workflow, which ComfyUI writes into them, and all other metadata before they are kept: off, on, or for these workflows.',
    default: 'off',
    parser: onOffOrNames,
  },
  CLAMAV: {
    section: 'files',
    description:
      'A ClamAV daemon (clamd) that looks for viruses in every file that comes in, from clients and from ComfyUI.',
    default: undefined,
    defaultText: 'none',
    parser: socketAddress,
  },
  CLAMAV_REQUIRED: {
    section: 'files',
    description:
      'Whether files are refused, with 503, while clamd cannot be asked, and when they are larger than it takes.',
    default: 'on',
    parser: onOff,
  },
  ALLOWED_MIME_TYPE_EXTENSION_MAP: {
    section: 'files',
    description:
      'File types that may be uploaded and delivered, with their extensions; as JSON in the environment.',
    default: undefined,
    defaultText: 'a built-in list',
    parser: mimeMap,
  },
} satisfies Record<string, Option>;
