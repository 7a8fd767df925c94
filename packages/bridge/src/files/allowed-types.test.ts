import { describe, expect, test } from 'vitest';
import {
  defaultAllowedTypes,
  findAllowedByContentType,
  findAllowedByExtension,
  parseAllowedTypes,
  toResultAllowed,
} from './allowed-types.ts';

function extensionsOf(value: unknown): Record<string, string> | string[] {
  const parsed = parseAllowedTypes(value);
  if (!parsed.ok) return parsed.errors;
  return Object.fromEntries(
    [...parsed.allowed].map(([contentType, { extension }]) => [contentType, extension]),
  );
}

describe('the map of allowed types', () => {
  test('takes extensions in every form they are written in', () => {
    expect(
      extensionsOf({
        'image/png': '.png',
        'image/webp': 'WEBP',
        'image/jpeg': '.jpg,.jpeg',
        'video/mp4': ['mp4', '.m4v'],
      }),
    ).toEqual({ 'image/png': '.png', 'image/webp': '.webp', 'image/jpeg': '.jpg', 'video/mp4': '.mp4' });
  });

  test('knows a type by its other names and keeps the extension written first', () => {
    expect(extensionsOf({ 'image/jpg': '.jpeg', 'audio/x-wav': '.wav' })).toEqual({
      'image/jpeg': '.jpeg',
      'audio/wav': '.wav',
    });
  });

  test('accepts every usual extension of an allowed type', () => {
    const parsed = parseAllowedTypes({ 'image/jpeg': '.jpg' });
    if (!parsed.ok) throw new Error('refused');
    expect(findAllowedByExtension(parsed.allowed, '.JPEG')?.type.contentType).toBe('image/jpeg');
    expect(findAllowedByContentType(parsed.allowed, 'image/JPG; x=y')?.extension).toBe('.jpg');
    expect(findAllowedByExtension(parsed.allowed, '.png')).toBeUndefined();
  });

  test('reports every wrong entry at once', () => {
    expect(extensionsOf({ 'image/png': '.jpg', 'image/gif': '' })).toEqual([
      expect.stringContaining('".jpg" is no extension of it; allowed are .png'),
      expect.stringContaining('"image/gif": "" is no extension'),
    ]);
  });

  test('a type that cannot be checked is left out with a word about it, and the rest holds', () => {
    const parsed = parseAllowedTypes({
      'image/png': '.png',
      'image/svg+xml': '.svg',
      'application/pdf': '.pdf',
      'text/html': '.html',
      'image/heic': '.heic',
    });
    expect(parsed).toMatchObject({
      ok: true,
      ignored: [
        expect.stringContaining('"image/svg+xml" is never accepted'),
        expect.stringContaining('"application/pdf" is never accepted'),
        expect.stringContaining('"text/html" is never accepted'),
        expect.stringContaining('"image/heic" cannot be checked; these can: image/png'),
      ],
    });
    if (!parsed.ok) throw new Error('refused');
    expect([...parsed.allowed.keys()]).toEqual(['image/png']);
  });

  test.each([undefined, null, [], 'image/png', { 'image/png': 1 }, {}])('is not %j', (value) => {
    expect(extensionsOf(value)).toEqual([expect.stringMatching(/^must /)]);
  });

  test('by default holds media and text, and for results what ComfyUI makes besides', () => {
    expect(findAllowedByExtension(defaultAllowedTypes, '.png')).toBeDefined();
    for (const extension of ['.svg', '.html', '.pdf', '.zip', '.js', '.glb', '.latent', '.tiff']) {
      expect(findAllowedByExtension(defaultAllowedTypes, extension)).toBeUndefined();
    }
    const results = toResultAllowed(defaultAllowedTypes);
    for (const extension of ['.png', '.glb', '.latent', '.json', '.txt']) {
      expect(findAllowedByExtension(results, extension)).toBeDefined();
    }
  });
});
