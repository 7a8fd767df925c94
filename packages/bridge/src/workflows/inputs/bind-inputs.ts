import { splitInputKey, toInputKey, type ApiPrompt, type MediaFormat } from '@comfy-bridge/protocol';
import { checkValue } from './check-value.ts';
import { quote, shorten } from '../quote.ts';
import { fileFormat, namedFile } from './file-input.ts';
import { isOfFormat, toAssetId } from './file-value.ts';
import type { AssetFile } from './file-value.ts';
import { resolveInput, type FindDefinition } from './input-spec.ts';
import type { ApiInput, PublishedWorkflow } from '../catalog/published-workflow.ts';

export interface BindDeps {
  findDefinition: FindDefinition;
  /** True for the saved name of a file that was uploaded and is still there. */
  isUploaded: (savedName: string) => boolean;
  /** The file of an asset, if it is the caller's own and still there. Without this, assets are not known at all. */
  findAsset?: (assetId: string) => AssetFile | undefined;
  /** What an uploaded file is; undefined: not known, so that it is taken as it is. */
  contentTypeOf?: (savedName: string) => string | undefined;
  /** True for a file that ships with the workflows, as a default for a loader. */
  isSample: (fileName: string) => boolean;
}

/** An input of the prompt that names a file which the backend must be given first. */
interface FileToStage {
  nodeId: string;
  inputName: string;
  source: UploadSource | { kind: 'sample'; fileName: string };
}

interface UploadSource {
  kind: 'upload';
  savedName: string;
  assetId?: string;
}

export interface InputProblem {
  key: string;
  message: string;
  /** The value is an asset that is not there (any more), or never was the caller's. */
  isMissingAsset?: true;
}

export type BoundInputs =
  | { ok: true; prompt: ApiPrompt; stagedInputs: FileToStage[] }
  | { ok: false; problems: InputProblem[] };

const notAnInput = 'is not an input of this workflow';

/**
 * Writes a caller's values (`"<nodeId>/<inputName>"` to value, nothing else) into a fresh copy of the workflow. What is
 * not sent keeps the author's default, unchecked. All problems are found at once. The prompt may hold `bigint`s.
 */
export function bindInputs(
  workflow: PublishedWorkflow,
  values: Readonly<Record<string, unknown>>,
  deps: BindDeps,
): BoundInputs {
  const inputs = new Map<string, ApiInput>(workflow.inputs.map((input) => [input.key, input]));
  const problems: InputProblem[] = [];
  const prompt = copyPrompt(workflow.prompt);
  const uploads = new Map<string, UploadSource>();
  // What is allowed is listed once, however many keys are wrong.
  let unknownKey = `${notAnInput} (${inputs.size === 0 ? 'it has none' : `its inputs: ${shorten([...inputs.keys()])}`})`;
  for (const [key, value] of Object.entries(values)) {
    const input = inputs.get(key);
    if (input === undefined) {
      problems.push({ key, message: unknownKey });
      unknownKey = notAnInput;
      continue;
    }
    const bound = bindValue(input, value, deps);
    if (!bound.ok) {
      const { message, isMissingAsset } = bound;
      problems.push({ key, message, ...(isMissingAsset === true && { isMissingAsset }) });
    } else {
      for (const each of [input.key, ...(input.mark.also ?? [])]) {
        const { nodeId = '', inputName = '' } = splitInputKey(each) ?? {};
        const node = prompt[nodeId];
        if (node !== undefined) node.inputs[inputName] = bound.value;
        if (bound.upload !== undefined) uploads.set(each, bound.upload);
      }
    }
  }
  for (const input of workflow.inputs) {
    if (input.mark.required === true && !hasDefault(input) && !Object.hasOwn(values, input.key)) {
      problems.push({ key: input.key, message: 'is required' });
    }
  }
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, prompt, stagedInputs: filesToStage(prompt, inputs, uploads, deps) };
}

/** `_meta` is only said back by ComfyUI in error texts: the title is kept, the marks are ours. */
function copyPrompt(prompt: ApiPrompt): ApiPrompt {
  const copy: ApiPrompt = {};
  for (const [nodeId, { class_type, inputs, _meta }] of Object.entries(prompt)) {
    copy[nodeId] = { class_type, inputs: structuredClone(inputs) };
    if (_meta?.title !== undefined) copy[nodeId]._meta = { title: _meta.title };
  }
  return copy;
}

function hasDefault(input: ApiInput): boolean {
  return input.default !== null && input.default !== '';
}

type BoundValue =
  | { ok: true; value: unknown; upload?: UploadSource }
  | { ok: false; message: string; isMissingAsset?: true };

function bindValue(input: ApiInput, value: unknown, deps: BindDeps): BoundValue {
  // The author's own value is allowed even where no backend lists it (yet), and needs no upload.
  if (value === input.default && hasDefault(input)) return { ok: true, value };
  if (value === '' && input.mark.required === true) {
    return { ok: false, message: 'is required and must not be empty' };
  }
  const spec = resolveInput(input, deps.findDefinition(input.classType));
  const assetId = spec.format === undefined || deps.findAsset === undefined ? undefined : toAssetId(value);
  if (spec.format !== undefined && assetId !== undefined) return bindAsset(assetId, spec.format, deps);
  const checked = checkValue(value, spec);
  if (!checked.ok || spec.format === undefined) return checked;
  const savedName = String(checked.value);
  if (!deps.isUploaded(savedName)) {
    return {
      ok: false,
      message: `${quote(savedName)} was not uploaded: upload the ${kindOf(spec.format)} first and send the name that the upload answered`,
    };
  }
  const contentType = deps.contentTypeOf?.(savedName);
  if (contentType !== undefined && !isOfFormat(contentType, spec.format))
    return wrongKind(contentType, spec.format);
  return { ...checked, upload: { kind: 'upload', savedName } };
}

function bindAsset(assetId: string, format: MediaFormat, { findAsset }: BindDeps): BoundValue {
  const asset = findAsset?.(assetId);
  if (asset === undefined) {
    const message = `there is no asset ${assetId} (any more): upload the ${kindOf(format)} again`;
    return { ok: false, message, isMissingAsset: true };
  }
  const { savedName, contentType } = asset;
  if (!isOfFormat(contentType, format)) return wrongKind(contentType, format);
  return { ok: true, value: savedName, upload: { kind: 'upload', savedName, assetId } };
}

function kindOf(format: MediaFormat): string {
  return format === 'mask' ? 'image' : format;
}

function wrongKind(contentType: string, format: MediaFormat): BoundValue {
  return { ok: false, message: `must be a file of kind ${kindOf(format)}, not ${contentType.slice(0, 60)}` };
}

/** Defaults that ship with the workflows are staged for every loader, marked or not: a backend need not have them. */
function filesToStage(
  prompt: ApiPrompt,
  inputs: ReadonlyMap<string, ApiInput>,
  uploads: ReadonlyMap<string, UploadSource>,
  deps: BindDeps,
): FileToStage[] {
  const staged: FileToStage[] = [];
  for (const [nodeId, node] of Object.entries(prompt)) {
    const definition = deps.findDefinition(node.class_type);
    for (const [inputName, value] of Object.entries(node.inputs)) {
      if (typeof value !== 'string') continue;
      const key = toInputKey(nodeId, inputName);
      const upload = uploads.get(key);
      if (upload !== undefined) staged.push({ nodeId, inputName, source: upload });
      if (upload !== undefined || !deps.isSample(namedFile(value))) continue;
      const takesFile =
        inputs.get(key)?.mark.format ??
        fileFormat(node.class_type, inputName, definition?.inputs.get(inputName));
      if (takesFile === undefined) continue;
      staged.push({ nodeId, inputName, source: { kind: 'sample', fileName: namedFile(value) } });
    }
  }
  return staged;
}
