/** Raw pixels, row by row: three bytes per pixel for a picture, one for a mask. */
export interface Picture {
  /** Equal for equal pixels made the same way: the key of every memo. */
  key: string;
  width: number;
  height: number;
  channels: 1 | 3;
  data: Uint8Array;
}

/** What travels over a link of a running graph. A batch is a list of pictures. */
export type NodeValue =
  | { type: 'IMAGE'; pictures: Picture[] }
  | { type: 'MASK'; pictures: Picture[] }
  | { type: 'LATENT'; width: number; height: number; batch: number; pictures: Picture[] | undefined }
  | { type: 'CONDITIONING'; text: string }
  | { type: 'MODEL' | 'CLIP' | 'VAE' | 'UPSCALE_MODEL'; name: string }
  | { type: 'SCALAR'; value: string | number | boolean };
