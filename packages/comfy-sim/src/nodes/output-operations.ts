import { PythonError, repr, str, toBool } from '../python-values.ts';
import type { FileRef, FileType } from '../wire.ts';
import { isRecord } from '../wire.ts';
import {
  imagesOf,
  linked,
  numberOf,
  saved,
  scalarOf,
  textOf,
  type NodeOperation,
  type NodeWork,
} from './node-work.ts';
import { solid, toAnimatedWebp, toPng, toPreview } from './pictures.ts';
import { forge } from './forge.ts';
import { withPngText } from './png-metadata.ts';

export const outputOperations: Record<string, NodeOperation> = {
  SaveImage: async (work) =>
    saved(await saveBatch(work, 'output', textOf(work, 'filename_prefix', 'ComfyUI'))),
  // The real prefix ends in five random letters per node; the node's id keeps runs of a test alike.
  PreviewImage: async (work) => saved(await saveBatch(work, 'temp', `ComfyUI_temp_${lettersOf(work.id)}`)),
  SaveAnimatedWEBP: async (work) => {
    const pictures = imagesOf(work, 'images');
    const bytes = await toAnimatedWebp(pictures, {
      fps: numberOf(work, 'fps', 6),
      lossless: scalarOf(work, 'lossless') === true,
      quality: numberOf(work, 'quality', 80),
    });
    const prefix = expand(
      textOf(work, 'filename_prefix', 'ComfyUI'),
      pictures[0]?.width ?? 0,
      pictures[0]?.height ?? 0,
    );
    return saved([work.files.saveNumbered('output', contained(prefix), 'webp', bytes)], { animated: [true] });
  },
  PreviewAny: (work) => ({ values: [], ui: { text: [anyText(work)] } }),
  PrimitiveInt: (work) => scalar(numberOf(work, 'value')),
  PrimitiveFloat: (work) => scalar(numberOf(work, 'value')),
  PrimitiveString: (work) => scalar(textOf(work, 'value')),
  PrimitiveStringMultiline: (work) => scalar(textOf(work, 'value')),
  PrimitiveBoolean: (work) => scalar(toBool(scalarOf(work, 'value'))),
  TraceStep: async (work) => {
    const steps = numberOf(work, 'steps', 1);
    const pictures = imagesOf(work, 'image');
    const preview = scalarOf(work, 'preview') === true;
    for (let step = 1; step <= steps; step += 1) {
      await work.step(step, steps, {
        ms: numberOf(work, 'seconds') * 1000,
        ...(preview && pictures[0] ? { preview: () => previewOf(step) } : {}),
      });
    }
    return { values: [{ type: 'IMAGE', pictures }] };
  },
  TraceFail: (work) => {
    throw new PythonError('RuntimeError', textOf(work, 'message'));
  },
  TraceText: (work) => {
    const text = textOf(work, 'text');
    work.text(`working on ${text}`);
    return { values: [], ui: { text: [text] } };
  },
};

async function saveBatch(work: NodeWork, type: FileType, prefix: string): Promise<FileRef[]> {
  const refs: FileRef[] = [];
  const workflow = isRecord(work.extraData.extra_pnginfo) ? work.extraData.extra_pnginfo : {};
  const pictures = await forge(imagesOf(work, 'images'), work, work.liar);
  const [first] = pictures;
  const path = contained(expand(prefix, first?.width ?? 0, first?.height ?? 0));
  for (const [at, picture] of pictures.entries()) {
    const png = withPngText(await toPng(picture), { prompt: work.prompt, ...workflow });
    refs.push(work.files.saveNumbered(type, path.replaceAll('%batch_num%', String(at)), 'png', png));
  }
  return refs;
}

/** The variables that a prefix may use; `%date:…%` is replaced by the editor, not the server. */
function expand(prefix: string, width: number, height: number): string {
  const now = new Date();
  const values: Record<string, number> = {
    width,
    height,
    year: now.getFullYear(),
    month: now.getMonth() + 1,
    day: now.getDate(),
    hour: now.getHours(),
    minute: now.getMinutes(),
    second: now.getSeconds(),
  };
  return prefix.replaceAll(/%(\w+)%/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value).padStart(2, '0');
  });
}

function contained(prefix: string): string {
  if (!prefix.startsWith('/') && !prefix.split('/').includes('..')) return prefix;
  throw new PythonError('Exception', '**** ERROR: Saving image outside the output folder is not allowed.');
}

function anyText(work: NodeWork): string {
  const value = linked(work, 'source');
  if (value?.type === 'SCALAR') return str(value.value);
  return value ? repr({ type: value.type }) : str(work.inputs.source);
}

function scalar(value: string | number | boolean) {
  return { values: [{ type: 'SCALAR' as const, value }] };
}

async function previewOf(step: number): Promise<Uint8Array> {
  return toPreview(solid(64, 64, [(step * 40) % 256, 120, 200]));
}

function lettersOf(id: string): string {
  let hash = 7;
  for (const char of id) hash = (hash * 31 + char.charCodeAt(0)) % 11881376;
  return Array.from({ length: 5 }, (_, at) =>
    String.fromCharCode(97 + (Math.floor(hash / 26 ** at) % 26)),
  ).join('');
}
