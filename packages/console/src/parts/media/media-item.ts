import type { SharedResults } from '@comfy-bridge/protocol';

/** One result as the page shows it. */
export type MediaItem = SharedResults['outputs'][number];

export type MediaKind = 'image' | 'video' | 'audio' | 'text' | 'file';

/** What browsers can show themselves; everything else is a file to download. */
export function mediaKindOf({ content_type: contentType }: Pick<MediaItem, 'content_type'>): MediaKind {
  const [type = '', subtype = ''] = (contentType.split(';')[0] ?? '').trim().toLowerCase().split('/');
  if (type === 'image') return /^(png|jpeg|webp|gif|avif|bmp|apng)$/.test(subtype) ? 'image' : 'file';
  if (type === 'video') return /^(mp4|webm|ogg|quicktime)$/.test(subtype) ? 'video' : 'file';
  if (type === 'audio') return 'audio';
  if (type === 'text' || subtype === 'json') return 'text';
  return 'file';
}

/** The URL that saves the file under its name instead of showing it. */
export function downloadUrl({ url }: Pick<MediaItem, 'url'>): string {
  return `${url}${url.includes('?') ? '&' : '?'}download=1`;
}
