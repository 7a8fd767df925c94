import type { ComfyMessage } from './comfy-messages.ts';
import { isRecord } from '../lib/is-record.ts';
import { toId, toRecord } from './read-fields.ts';

// ComfyUI's protocol.py; all integers are big-endian u32. Event 2 is internal to ComfyUI and leaves it as event 1.
const PREVIEW_IMAGE = 1;
const TEXT = 3;
const PREVIEW_IMAGE_WITH_METADATA = 4;

const imageFormats = new Map<number, 'image/jpeg' | 'image/png'>([
  [1, 'image/jpeg'],
  [2, 'image/png'],
]);

/** Reads a binary frame. Images share the frame's memory. Never throws. */
export function parseBinaryFrame(frame: Buffer): ComfyMessage {
  if (frame.length < 8) return malformed(`a binary frame of ${frame.length} bytes`);
  const event = frame.readUInt32BE(0);
  if (event === PREVIEW_IMAGE) return parsePreview(frame);
  if (event !== TEXT && event !== PREVIEW_IMAGE_WITH_METADATA)
    return { type: 'other', name: `binary:${event}` };

  // Both carry a counted head, then the rest.
  const headEnd = 8 + frame.readUInt32BE(4);
  if (headEnd > frame.length) return malformed(`binary event ${event} is shorter than it says`);
  const head = frame.toString('utf8', 8, headEnd);
  if (event === TEXT) return { type: 'text', node: toId(head) ?? '', text: frame.toString('utf8', headEnd) };
  return parsePreviewWithMetadata(head, frame.subarray(headEnd));
}

function parsePreview(frame: Buffer): ComfyMessage {
  const contentType = imageFormats.get(frame.readUInt32BE(4));
  if (contentType === undefined) return malformed('a preview of unknown format');
  return { type: 'preview', contentType, image: frame.subarray(8), promptId: undefined, node: undefined };
}

function parsePreviewWithMetadata(head: string, image: Buffer): ComfyMessage {
  let json: unknown;
  try {
    json = JSON.parse(head);
  } catch {
    return malformed('preview metadata is not JSON');
  }
  if (!isRecord(json)) return malformed('preview metadata is not an object');
  const metadata = toRecord(json);
  const contentType = metadata['image_type'];
  if (contentType !== 'image/jpeg' && contentType !== 'image/png')
    return malformed('a preview of unknown format');
  const node =
    toId(metadata['display_node_id']) ?? toId(metadata['real_node_id']) ?? toId(metadata['node_id']);
  return { type: 'preview', contentType, image, promptId: toId(metadata['prompt_id']), node };
}

function malformed(reason: string): ComfyMessage {
  return { type: 'malformed', reason };
}
