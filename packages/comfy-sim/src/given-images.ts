import type { FileStore } from './file-store.ts';
import { withPngText } from './nodes/png-metadata.ts';
import type { FileRef, FileType } from './wire.ts';

/** How many pictures to make up, or the pictures themselves. */
export type GivenImages =
  | number
  | { bytes: Uint8Array; filename?: string; type?: FileType; subfolder?: string }[];

/** An 8×8 grey PNG. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAD0lEQVR42mNowAEYhpYEAILzYAEllbNjAAAAAElFTkSuQmCC',
  'base64',
);
/** An 8×8 grey JPEG. */
const JPEG = Buffer.from(
  '/9j/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/ALAB/9k=',
  'base64',
);

/** Stores what a test says a prompt made, and names it as SaveImage would. Made-up pictures differ in their bytes. */
export function saveGiven(files: FileStore, prefix: string, images: GivenImages): FileRef[] {
  const list =
    typeof images === 'number' ? Array.from({ length: images }, () => ({ bytes: unique() })) : images;
  return list.map((image: Exclude<GivenImages, number>[number]) => {
    const { bytes, filename, type = 'output', subfolder = '' } = image;
    if (filename === undefined)
      return files.saveNumbered(type, subfolder ? `${subfolder}/${prefix}` : prefix, 'png', bytes);
    files.put(type, subfolder ? `${subfolder}/${filename}` : filename, bytes);
    return { filename, subfolder, type };
  });
}

export function samplePreview(): Uint8Array {
  return JPEG;
}

let made = 0;

function unique(): Uint8Array {
  made += 1;
  return withPngText(PNG, { made });
}
