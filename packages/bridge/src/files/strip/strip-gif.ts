import type { FileWindow } from '../file-window.ts';
import { walkGif } from '../walk-gif.ts';
import { cut, type Edit } from './edits.ts';
import type { StripPlan } from './strip-plan.ts';

const graphicControl = 0xf9;
const application = 0xff;

/** GIF: comments, captions and application data (XMP) go; how often it loops, its colour profile and every frame stay. */
export async function stripGif(window: FileWindow): Promise<StripPlan> {
  const extensions: { start: number; end: number }[] = [];
  const walked = await walkGif(window, (part, start, end) => {
    if (part === 'extension') extensions.push({ start, end });
  });
  if (!walked.ok) return walked;
  const edits: Edit[] = [cut(walked.end, window.size)];
  for (const { start, end } of extensions) edits.push(...(await stripExtension(window, start, end)));
  return { ok: true, edits };
}

async function stripExtension(window: FileWindow, start: number, end: number): Promise<Edit[]> {
  const head = await window.read(start, 19);
  if (head[1] === graphicControl) return [];
  if (head[1] === application && head[2] === 11) {
    const name = head.toString('latin1', 3, 14);
    if (name === 'ICCRGBG1012') return [];
    if ((name === 'NETSCAPE2.0' || name === 'ANIMEXTS1.0') && isLoop(head)) {
      const loop = Buffer.from(head);
      loop[18] = 0;
      return end - start === loop.length ? [] : [{ start, end, put: loop }];
    }
  }
  return [cut(start, end)];
}

/** A block of three bytes: 1, then how often. */
function isLoop(head: Buffer): boolean {
  return head.length === 19 && head[14] === 3 && head[15] === 1;
}
