import type { MediaFormat } from '@comfy-bridge/protocol';
import type { NodeInputSpec } from '../../comfy/object-info.ts';

/** The loaders that name a file of ComfyUI's input folder, for when no ComfyUI is there to say so. */
const knownFileInputs: ReadonlyMap<string, MediaFormat> = new Map([
  ['LoadImage/image', 'image'],
  ['LoadImageMask/image', 'mask'],
  ['LoadVideo/file', 'video'],
  ['LoadAudio/audio', 'audio'],
  ['VHS_LoadVideo/video', 'video'],
  ['VHS_LoadVideoFFmpeg/video', 'video'],
  ['VHS_LoadAudioUpload/audio', 'audio'],
]);

/** The kind of file that an input takes, undefined for an input that takes no file. */
export function fileFormat(
  classType: string,
  inputName: string,
  spec: NodeInputSpec | undefined,
): MediaFormat | undefined {
  return knownFileInputs.get(`${classType}/${inputName}`) ?? spec?.upload;
}

/** The file that a loader's value names: ComfyUI's own folder mark (`x.png [input]`) is not part of the name. */
export function namedFile(value: string): string {
  return value.replace(/ \[input\]$/, '');
}
