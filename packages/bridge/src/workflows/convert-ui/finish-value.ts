import type { Input, Sent } from './node-input.ts';
import { resolveDynamicPrompt } from './dynamic-prompt.ts';
import type { WidgetValue } from './read-values.ts';

/** What the editor still does to the value of a field when it queues. */
export function finishValue(read: WidgetValue, { node, slot, spec, title, budget }: Input): Sent {
  const refuse = (problem: string): Sent => ({ ok: false, reason: `${title} ${problem}` });
  if (!read.ok) return refuse(read.problem);
  const { value } = read;
  if (typeof value !== 'string') return { ok: true, value: wrapList(value) };
  const classType = node.definition?.classType ?? '';
  // So they were called once; the editor corrects it, though not in subgraphs.
  if (slot.name === 'sampler_name' && classType.startsWith('KSampler') && value.startsWith('sample_'))
    return refuse('has a name of old versions: choose the sampler anew');
  if (spec?.editor?.dynamicPrompts === true) {
    const resolved = budget.spend(value.length) ? resolveDynamicPrompt(value) : undefined;
    if (resolved !== undefined) return { ok: true, value: resolved };
    return refuse(
      'has a choice in braces that the editor makes anew each time: write one of them, or \\{ for a brace',
    );
  }
  if (slot.name === 'filename_prefix' && savers.has(classType) && isReplaced(value))
    return refuse(
      'has text between % that the editor replaces: write it out, or use %year% and the like, which the machine fills in',
    );
  return { ok: true, value };
}

/** A list would be taken for a link. */
export function wrapList(value: unknown): unknown {
  return Array.isArray(value) ? { __value__: value } : value;
}

/** Nodes in whose file names the editor replaces `%date:…%` and `%Node.input%`, each in some version of it. */
const savers: ReadonlySet<string> = new Set([
  'SaveImage',
  'SaveImageAdvanced',
  'SaveSVGNode',
  'SaveVideo',
  'SaveAnimatedWEBP',
  'SaveWEBM',
  'SaveAudio',
  'SaveAudioMP3',
  'SaveAudioOpus',
  'SaveAudioAdvanced',
  'SaveGLB',
  'Save3DAdvanced',
  'SaveGaussianSplat',
  'SavePointCloud',
  'SaveAnimatedPNG',
  'CLIPSave',
  'VAESave',
  'ModelSave',
  'LoraSave',
  'SaveLatent',
]);

function isReplaced(prefix: string): boolean {
  return [...prefix.matchAll(/%([^%]+)%/g)].some(
    ([, text = '']) => text.startsWith('date:') || text.split('.').length === 2,
  );
}
