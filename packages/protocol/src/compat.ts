import { z } from 'zod';

/** The compatibility API: what clients of the original bridge speak, key for key. */

/** 1 to 128 characters of `[A-Za-z0-9._:-]`, chosen by the client; names one piece of work. */
export const clientIdSchema = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/);

export type CompatStatus = 'connected' | 'listening' | 'progress' | 'closed' | 'error';

/** Extra fields of a text frame, sent only to sockets opened with `events=2`. */
export interface CompatFrameExtras {
  /** Rises with every event of the job; send the last one heard as `after` when connecting again. */
  seq?: number;
  jobId?: string;
  state?: string;
  queuePosition?: number | null;
  node?: string | null;
  step?: number | null;
  steps?: number | null;
  etaSeconds?: number | null;
}

/** A text frame of `/ws`. The documents say `details`, clients in the field read `detail`: both, always equal. */
export interface CompatFrame extends CompatFrameExtras {
  status: CompatStatus;
  details: string;
  detail: string;
}

export type InputType = 'str' | 'int' | 'float' | 'bool';
export type MediaFormat = 'image' | 'video' | 'audio' | 'mask';
export type InputValue = string | number | bigint | boolean;

/** One entry of `GET /workflow-info`. */
export interface WorkflowInfoEntry {
  type: InputType;
  title: string;
  class: string;
  default: unknown;
  format?: MediaFormat;
  options?: InputValue[];
  min?: number;
  max?: number;
  step?: number;
  label?: string;
  description?: string;
  required?: boolean;
  order?: number;
  /** Description images, base64. One string for one image, a list for more. */
  descimage?: string | string[];
}
export type WorkflowInfo = Record<string, WorkflowInfoEntry>;

/** One entry of `GET /workflow-list?detail=full`. */
export interface WorkflowListEntry {
  alias: string;
  fn: string;
  description: string;
  /** base64, empty when there is none. */
  thumbnail: string;
}

/** `GET /history?resType=base64`. */
export interface Base64Results {
  files: { file_name: string; content_type: string; content: string }[];
}

/** `POST /generate-based-workflow`: `workflow` and any number of `"<nodeId>/<inputName>"` keys. */
export const generateRequestSchema = z.looseObject({ workflow: z.string().min(1) });
