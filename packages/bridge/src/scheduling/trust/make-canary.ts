import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { NodeDefinitions } from '../../comfy/object-info.ts';
import { canaryStepKinds, chooseColour, chooseOf, chooseWhole, isOffered } from './canary-steps.ts';
import type { CanaryStep, Random } from './canary-steps.ts';
import { fill, scale } from './raster.ts';
import type { Raster } from './raster.ts';

/** A prompt whose result the bridge knows. */
export interface Canary {
  prompt: ApiPrompt;
  /** The node and its input that take the picture, and the node that saves the result. */
  loadNode: string;
  saveNode: string;
  input: Raster;
  expected: Raster;
  /** What is done to the picture, for people. */
  text: string;
}

/** What is easily answered without doing the work must be at least this far from the right answer. */
const leastDistance = 0.15;
const mostTries = 8;
/** One pixel in so many is looked at for that. */
const sampled = 7;

/**
 * A canary for a backend that offers these nodes, another one each time: its picture, its steps, their values and the ids of its
 * nodes are random, so that no answer can be kept. Undefined where the backend offers too little.
 */
export function makeCanary(definitions: NodeDefinitions, random: Random): Canary | undefined {
  const needed = definitions.get('LoadImage') !== undefined && definitions.get('SaveImage') !== undefined;
  const [first, ...others] = canaryStepKinds.filter((kind) => isOffered(kind, definitions));
  if (!needed || first === undefined) return undefined;
  const kinds = [first, ...others] as const;
  let best: { input: Raster; steps: CanaryStep[]; expected: Raster; distance: number } | undefined;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const input = paint(random);
    const steps: CanaryStep[] = [];
    let expected = input;
    for (let count = chooseWhole(2, 4, random); count > 0; count -= 1) {
      const step = chooseOf(kinds, random).make(expected, random);
      steps.push(step);
      expected = step.apply(expected);
    }
    const distance = distanceFromEasyAnswers(input, expected);
    if (best === undefined || distance > best.distance) best = { input, steps, expected, distance };
    if (distance >= leastDistance) break;
  }
  if (best === undefined) return undefined;
  const { input, steps, expected } = best;
  return {
    ...toPrompt(steps, definitions, random),
    input,
    expected,
    text: steps.map(({ text }) => text).join(', '),
  };
}

/** Of an empty picture, and of the picture that was sent, brought to the right size. */
function distanceFromEasyAnswers(input: Raster, expected: Raster): number {
  const { width, height } = expected;
  const { pixels: sent } = scale(input, { width, height });
  // Black, grey, white, and what was sent.
  const sums = [0, 0, 0, 0];
  let count = 0;
  for (let at = 0; at < expected.pixels.length; at += sampled, count += 1) {
    const value = expected.pixels[at] ?? 0;
    for (const [index, easy] of [0, 128, 255, sent[at] ?? 0].entries())
      sums[index] = (sums[index] ?? 0) + Math.abs(value - easy);
  }
  return Math.min(...sums) / count / 255;
}

/** A picture of soft colours with some shapes on it: what a lossy format does to it is small. */
function paint(random: Random): Raster {
  const width = 8 * chooseWhole(10, 18, random);
  const height = 8 * chooseWhole(10, 18, random);
  const corners = Array.from({ length: 4 }, () => chooseColour(random));
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y += 1) {
    const down = y / (height - 1);
    for (let x = 0; x < width; x += 1) {
      const right = x / (width - 1);
      for (let channel = 0; channel < 3; channel += 1, at += 1) {
        const top = mix(corners[0]?.[channel], corners[1]?.[channel], right);
        const bottom = mix(corners[2]?.[channel], corners[3]?.[channel], right);
        pixels[at] = Math.round(mix(top, bottom, down));
      }
    }
  }
  let picture: Raster = { width, height, pixels };
  for (let shapes = chooseWhole(3, 8, random); shapes > 0; shapes -= 1) {
    const area = {
      x: chooseWhole(0, width - 24, random),
      y: chooseWhole(0, height - 24, random),
      width: chooseWhole(16, width / 2, random),
      height: chooseWhole(16, height / 2, random),
    };
    picture = fill(picture, area, chooseColour(random));
  }
  return picture;
}

function mix(one = 0, other = 0, share: number): number {
  return one + (other - one) * share;
}

/** Ids in a random order of numbers and titles, as an editor gives them; the rest is as in any workflow. */
function toPrompt(
  steps: readonly CanaryStep[],
  definitions: NodeDefinitions,
  random: Random,
): Pick<Canary, 'prompt' | 'loadNode' | 'saveNode'> {
  const prompt: ApiPrompt = {};
  function add(node: ApiPrompt[string]): string {
    let id: string;
    do id = String(chooseWhole(1, 99, random));
    while (Object.hasOwn(prompt, id));
    const title = definitions.get(node.class_type)?.displayName ?? node.class_type;
    prompt[id] = { ...node, _meta: { title } };
    return id;
  }
  const loadNode = add({ class_type: 'LoadImage', inputs: { image: '' } });
  let last = loadNode;
  for (const step of steps) {
    const node = step.node([last, 0]);
    if (step.second !== undefined) node.inputs[step.second.input] = [add(step.second.node), 0];
    last = add(node);
  }
  const saveNode = add({
    class_type: 'SaveImage',
    inputs: { filename_prefix: 'ComfyUI', images: [last, 0] },
  });
  return { prompt, loadNode, saveNode };
}
