import { expect, test } from 'vitest';

import { downloadUrl, mediaKindOf } from './media-item.ts';

test.each([
  ['image/png', 'image'],
  ['image/WEBP', 'image'],
  ['image/tiff', 'file'],
  ['image/svg+xml', 'file'],
  ['video/mp4; codecs="avc1"', 'video'],
  ['video/x-matroska', 'file'],
  ['audio/flac', 'audio'],
  ['text/plain; charset=utf-8', 'text'],
  ['application/json', 'text'],
  ['application/octet-stream', 'file'],
  ['', 'file'],
])('a result of type %s is shown as %s', (contentType, kind) => {
  expect(mediaKindOf({ content_type: contentType })).toBe(kind);
});

test('a download asks for an attachment, beside what the URL already says', () => {
  expect(downloadUrl({ url: '/a/b' })).toBe('/a/b?download=1');
  expect(downloadUrl({ url: '/a/b?x=1' })).toBe('/a/b?x=1&download=1');
});
