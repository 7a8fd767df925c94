import { Donor, type DonorOptions } from './donor.ts';
import type { Liar } from './nodes/forge.ts';
import type { NodeDefinition } from './wire.ts';

export interface SimOptions {
  /** 0 (the default) takes any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  name?: string;
  /** `step` (the default): prompts wait for the test to drive them. `free`: prompts run by themselves. */
  mode?: 'free' | 'step';
  /** Free mode: how long one step of a sampler or of an upscaler takes, in milliseconds. Default 60. */
  stepMs?: number;
  /** Free mode: how long each prompt takes in all, in milliseconds; 0 is as fast as possible. Default: by steps. */
  runMs?: number | null;
  /** Free mode: what loading a model costs that is not loaded, in milliseconds. Default 0. */
  modelLoadMs?: number;
  /** Model files per folder; a folder given here replaces the default list of that folder. */
  models?: Partial<Record<string, string[]>>;
  /** Changes to `/object_info`. An added class without an operation of its own hands its first input on. */
  nodes?: { add?: Record<string, NodeDefinition>; remove?: string[] };
  /** What `/object_info` and `/models` list although it is not there: such a prompt is refused, or fails when it runs. */
  lies?: SimLies;
  /** Bytes of video memory. Default 24 GiB. */
  vramTotal?: number;
  /**
   * Bytes that a node class or a model file (`checkpoints/a.safetensors`) takes when it runs; a prompt that needs more than
   * there are runs out of memory. Default: guessed from the name, and always fitting.
   */
  needs?: Record<string, number>;
  /** The `comfyui_version` told by `/system_stats`. */
  version?: string;
  /** Free mode: send previews while sampling, as `--preview-method` does. A prompt's `preview_method` wins. */
  previews?: boolean;
  features?: Partial<SimFeatures>;
  /** Files in the input folder, by `name` or `subfolder/name`. `example.png` is always there. */
  inputFiles?: Record<string, Uint8Array>;
  /** Largest request body, in bytes. Default 100 MiB. */
  maxUploadBytes?: number;
  /** The machine is lent by its owner. Default: a stock ComfyUI. */
  donor?: DonorOptions;
  /** Folder of a built editor (with its `index.html`), to be served to browsers. Default none. */
  frontEndRoot?: string;
  /** Extensions of that editor: the web folder of each pack, by the pack's name. */
  extensions?: Record<string, string>;
}

export interface SimLies {
  /** Files per folder, beside those that are there: broken links, for example. */
  models?: Partial<Record<string, string[]>>;
  nodes?: Record<string, NodeDefinition>;
}

/** What came to ComfyUI over time. The defaults are those of v0.3.64. */
export interface SimFeatures {
  /** Since 0.3.44: `/features`, flags over the WebSocket, `progress_state`, previews with metadata. */
  previewMetadata: boolean;
  /** Since 2026: `/api/jobs`, and a `prompt_id` must be a UUID. */
  jobsApi: boolean;
  /** Since 0.3.44: the caller may choose the `prompt_id`. */
  clientPromptId: boolean;
  /** Since 0.3.56: `/interrupt` honours a `prompt_id`; before, it always hits what runs. */
  targetedInterrupt: boolean;
}

export interface ResolvedOptions extends Required<
  Omit<SimOptions, 'models' | 'nodes' | 'features' | 'runMs' | 'lies' | 'frontEndRoot' | 'donor'>
> {
  donor: Donor | undefined;
  /** `lie` sets it. */
  liar: Liar | undefined;
  frontEndRoot: string | undefined;
  runMs: number | undefined;
  /** `setModels` changes it. */
  models: Record<string, string[]>;
  lies: { models: Record<string, string[]>; nodes: Record<string, NodeDefinition> };
  nodes: { add: Record<string, NodeDefinition>; remove: string[] };
  features: SimFeatures;
}

/** The folders of `models/` as `GET /models` lists them. */
export const MODEL_FOLDERS =
  'checkpoints configs loras vae text_encoders diffusion_models clip_vision style_models embeddings diffusers vae_approx controlnet gligen upscale_models custom_nodes hypernetworks photomaker classifiers model_patches audio_encoders'.split(
    ' ',
  );

const DEFAULT_MODELS: Record<string, string[]> = {
  checkpoints: ['v1-5-pruned-emaonly-fp16.safetensors', 'sd_xl_base_1.0.safetensors'],
  upscale_models: ['RealESRGAN_x4plus.pth'],
};

export function resolveOptions(options: SimOptions): ResolvedOptions {
  const models: Record<string, string[]> = { ...DEFAULT_MODELS };
  for (const [folder, files] of Object.entries(options.models ?? {})) if (files) models[folder] = [...files];
  const lied: Record<string, string[]> = {};
  for (const [folder, files] of Object.entries(options.lies?.models ?? {})) if (files) lied[folder] = files;
  return {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    name: options.name ?? 'sim',
    mode: options.mode ?? 'step',
    stepMs: options.stepMs ?? 60,
    runMs: options.runMs ?? undefined,
    modelLoadMs: options.modelLoadMs ?? 0,
    models,
    nodes: { add: options.nodes?.add ?? {}, remove: options.nodes?.remove ?? [] },
    lies: { models: lied, nodes: options.lies?.nodes ?? {} },
    vramTotal: options.vramTotal ?? 24 * 1024 ** 3,
    needs: options.needs ?? {},
    version: options.version ?? '0.3.64',
    previews: options.previews ?? false,
    features: {
      previewMetadata: true,
      jobsApi: false,
      clientPromptId: true,
      targetedInterrupt: true,
      ...options.features,
    },
    inputFiles: options.inputFiles ?? {},
    maxUploadBytes: options.maxUploadBytes ?? 100 * 1024 * 1024,
    donor: options.donor && new Donor(options.donor),
    liar: undefined,
    frontEndRoot: options.frontEndRoot,
    extensions: options.extensions ?? {},
  };
}
