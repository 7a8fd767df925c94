import { isRecord } from '../marks/is-record.ts';
import type { ComfyApi, ExecutedDetail } from './comfy-types.ts';

export interface Picture {
  promptId: string;
  /** Where ComfyUI shows it. */
  url: string;
}

export interface Results {
  /** The pictures that came last, newest first; a few only. */
  pictures(): readonly Picture[];
  onPicture(listener: (picture: Picture) => void): () => void;
}

const kept = 12;

/** Listens to what ComfyUI makes while the editor is open. */
export function watchResults(api: ComfyApi): Results {
  const pictures: Picture[] = [];
  const listeners = new Set<(picture: Picture) => void>();
  api.addEventListener('executed', ({ detail }) => {
    for (const picture of picturesOf(api, detail)) {
      pictures.unshift(picture);
      for (const listener of listeners) listener(picture);
    }
    pictures.length = Math.min(pictures.length, kept);
  });
  return {
    pictures: () => pictures,
    onPicture(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function picturesOf(api: ComfyApi, { prompt_id: promptId, output }: ExecutedDetail): Picture[] {
  const images = output?.['images'];
  return (Array.isArray(images) ? images : []).flatMap((image: unknown) => {
    if (!isRecord(image) || typeof image['filename'] !== 'string') return [];
    const { filename, subfolder, type } = image;
    const query = new URLSearchParams({
      filename,
      subfolder: typeof subfolder === 'string' ? subfolder : '',
      type: typeof type === 'string' ? type : 'output',
    });
    return { promptId, url: api.apiURL(`/view?${query}`) };
  });
}

/** A small WebP of a picture as base64, for the bridge's list of workflows. Undefined when the browser cannot read it. */
export async function toThumbnail({ url }: Picture): Promise<string | undefined> {
  const longest = 512;
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    return undefined;
  }
  const scale = Math.min(1, longest / Math.max(image.naturalWidth, image.naturalHeight, 1));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const data = canvas.toDataURL('image/webp', 0.85);
  return data.slice(data.indexOf(',') + 1) || undefined;
}
