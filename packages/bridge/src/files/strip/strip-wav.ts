import type { FileWindow } from '../file-window.ts';
import { walkRiff } from '../walk-riff.ts';
import { cut, editedSize, sortEdits, type Edit } from './edits.ts';
import type { StripPlan } from './strip-plan.ts';

/** Sound itself, and where it is to be cut or repeated. */
const kept = new Set(['fmt ', 'fact', 'data', 'smpl', 'cue ', 'PEAK']);
/** Lengths from here on say that the writer did not know. */
const unknownLength = 0xffff_ff00;

/** WAV: chunks that tell of the recording (`LIST`, `bext`, `iXML`, ID3) go. */
export async function stripWav(window: FileWindow): Promise<StripPlan> {
  const walked = await walkRiff(window, 'WAVE');
  if (!walked.ok) return walked;
  const told = (await window.read(4, 4)).readUInt32LE(0);
  const isOpen = told === 0 || told >= unknownLength;
  const edits: Edit[] = [cut(walked.end, window.size)];
  for (let position = 12; position + 8 <= walked.end;) {
    const head = await window.read(position, 8);
    const name = head.toString('latin1', 0, 4);
    const length = head.readUInt32LE(4);
    const next = position + 8 + length + (length % 2);
    // Sound of unknown length goes on to the end, and what is no chunk is left as it is.
    if (name === 'data' && (length >= unknownLength || (isOpen && length === 0))) break;
    if (!/^[ -~]{4}$/.test(name) || position + 8 + length > walked.end) break;
    if (!kept.has(name)) edits.push(cut(position, Math.min(next, walked.end)));
    position = next;
  }
  const size = editedSize(window.size, sortEdits(edits)) - 8;
  if (isOpen || told === size) return { ok: true, edits };
  const put = Buffer.alloc(4);
  put.writeUInt32LE(size);
  return { ok: true, edits: [...edits, { start: 4, end: 8, put }] };
}
