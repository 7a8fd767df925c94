/** The endings under which ComfyUI and the common node packs look for model files. */
const modelEnding = /\.(?:safetensors|sft|ckpt|pt|pt2|pth|bin|pkl|gguf|onnx|engine)$/i;

/** Whether a value of an input names a file of weights, something to be loaded into memory. */
export function isModelFile(value: unknown): value is string {
  return typeof value === 'string' && modelEnding.test(value);
}

/** A file's name as every system would spell it: Windows lists `sdxl\\base.ckpt` where Linux lists `sdxl/base.ckpt`. */
export function normalizePath(value: string): string {
  return value.replaceAll('\\', '/');
}
