import type { ApiPrompt } from '@comfy-bridge/protocol';

/** How much there is to compute, from the numbers in the prompt. Each is 1 where the prompt says nothing. */
export interface JobSize {
  /** of the largest picture that a node is told to make */
  pixels: number;
  /** over all samplers */
  steps: number;
  frames: number;
  batch: number;
}

const frameInputs = ['length', 'num_frames', 'frames', 'frame_count', 'video_frames', 'frames_number'];

/** Reads the inputs that go by the same name in ComfyUI's own nodes and in the common packs. Pure. */
export function sizeOf(prompt: ApiPrompt): JobSize {
  const size: JobSize = { pixels: 1, steps: 0, frames: 1, batch: 1 };
  for (const { inputs } of Object.values(prompt)) {
    size.pixels = Math.max(size.pixels, count(inputs['width']) * count(inputs['height']));
    size.batch = Math.max(size.batch, count(inputs['batch_size']));
    size.frames = Math.max(size.frames, ...frameInputs.map((name) => count(inputs[name])));
    if (inputs['steps'] !== undefined) size.steps += count(inputs['steps']);
  }
  return { ...size, steps: Math.max(1, size.steps) };
}

/** Sizes within a third of each other share what is learned: half powers of two of the work. */
export function toSizeClass({ pixels, steps, frames, batch }: JobSize): number {
  return Math.round(Math.log2(pixels * steps * frames * batch) * 2) / 2;
}

function count(value: unknown): number {
  return typeof value === 'number' && value >= 1 && value <= 1e9 ? value : 1;
}
