import type { OutputType } from '@comfy-bridge/protocol';

/** A type of file whose content the bridge can check. What is not in this table is never accepted. */
export interface FileType {
  /** The name under which it is told to others; also its key in the allowed types. */
  contentType: string;
  /** With dot, lower case; the first is the usual one. */
  extensions: readonly string[];
  kind: OutputType;
  /** How a refusal calls it. */
  label: string;
  /** Types of one family share their container and cannot always be told apart by content. */
  family?: 'iso-media' | 'ogg';
}

const fileTypes: readonly FileType[] = [
  { contentType: 'image/png', extensions: ['.png', '.apng'], kind: 'image', label: 'PNG' },
  { contentType: 'image/jpeg', extensions: ['.jpg', '.jpeg', '.jpe', '.jfif'], kind: 'image', label: 'JPEG' },
  { contentType: 'image/webp', extensions: ['.webp'], kind: 'image', label: 'WebP' },
  { contentType: 'image/gif', extensions: ['.gif'], kind: 'image', label: 'GIF' },
  { contentType: 'image/bmp', extensions: ['.bmp'], kind: 'image', label: 'BMP' },
  { contentType: 'image/tiff', extensions: ['.tiff', '.tif'], kind: 'image', label: 'TIFF' },
  { contentType: 'image/avif', extensions: ['.avif'], kind: 'image', label: 'AVIF' },
  {
    contentType: 'video/mp4',
    extensions: ['.mp4', '.m4v'],
    kind: 'video',
    label: 'MP4',
    family: 'iso-media',
  },
  {
    contentType: 'video/quicktime',
    extensions: ['.mov', '.qt'],
    kind: 'video',
    label: 'QuickTime',
    family: 'iso-media',
  },
  { contentType: 'video/webm', extensions: ['.webm'], kind: 'video', label: 'WebM' },
  { contentType: 'video/x-matroska', extensions: ['.mkv'], kind: 'video', label: 'Matroska' },
  { contentType: 'video/ogg', extensions: ['.ogv'], kind: 'video', label: 'Ogg video', family: 'ogg' },
  { contentType: 'audio/mpeg', extensions: ['.mp3'], kind: 'audio', label: 'MP3' },
  { contentType: 'audio/wav', extensions: ['.wav'], kind: 'audio', label: 'WAV' },
  { contentType: 'audio/flac', extensions: ['.flac'], kind: 'audio', label: 'FLAC' },
  {
    contentType: 'audio/ogg',
    extensions: ['.ogg', '.oga', '.opus'],
    kind: 'audio',
    label: 'Ogg',
    family: 'ogg',
  },
  { contentType: 'audio/mp4', extensions: ['.m4a'], kind: 'audio', label: 'M4A', family: 'iso-media' },
  { contentType: 'audio/aac', extensions: ['.aac'], kind: 'audio', label: 'AAC' },
  { contentType: 'text/plain', extensions: ['.txt'], kind: 'text', label: 'plain text' },
  { contentType: 'application/json', extensions: ['.json'], kind: 'text', label: 'JSON' },
  { contentType: 'model/gltf-binary', extensions: ['.glb'], kind: 'file', label: 'binary glTF' },
  {
    contentType: 'application/x-safetensors',
    extensions: ['.latent', '.safetensors'],
    kind: 'latent',
    label: 'safetensors',
  },
];

/** Other names that browsers, tools and the content sniffer use. */
const aliases: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
  'image/apng': 'image/png',
  'image/x-png': 'image/png',
  'image/x-bmp': 'image/bmp',
  'image/x-ms-bmp': 'image/bmp',
  'image/tif': 'image/tiff',
  'video/x-m4v': 'video/mp4',
  'video/matroska': 'video/x-matroska',
  'audio/webm': 'video/webm',
  'audio/mp3': 'audio/mpeg',
  'audio/x-mp3': 'audio/mpeg',
  'audio/x-mpeg': 'audio/mpeg',
  'audio/wave': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-flac': 'audio/flac',
  'audio/opus': 'audio/ogg',
  'audio/vorbis': 'audio/ogg',
  'application/ogg': 'audio/ogg',
  'audio/m4a': 'audio/mp4',
  'audio/x-m4a': 'audio/mp4',
  'audio/x-aac': 'audio/aac',
  'text/json': 'application/json',
};

const byContentType = new Map(fileTypes.map((type) => [type.contentType, type]));
const byExtension = new Map(
  fileTypes.flatMap((type) => type.extensions.map((extension) => [extension, type])),
);

/** `Image/JPG; charset=x` → `image/jpeg`: lower case, without parameters, under its usual name. */
export function toContentType(value: string): string {
  const bare = (value.split(';', 1)[0] ?? '').trim().toLowerCase();
  return aliases[bare] ?? bare;
}

/** Finds a checkable type by any of its MIME names. */
export function findFileType(contentType: string): FileType | undefined {
  return byContentType.get(toContentType(contentType));
}

/** Finds a checkable type by extension, with dot, in any case. */
export function findFileTypeByExtension(extension: string): FileType | undefined {
  return byExtension.get(extension.toLowerCase());
}

/** True where content of type `real` may carry the name of type `claimed`. */
export function isSameFamily(real: FileType, claimed: FileType): boolean {
  return real === claimed || (real.family !== undefined && real.family === claimed.family);
}

export function checkableContentTypes(): string[] {
  return [...byContentType.keys()];
}
