import type { Field, FileField, Media } from './form-model.ts';

const kinds: Readonly<Record<Media, RegExp>> = {
  image: /^image\//,
  mask: /^image\//,
  video: /^(video\/|image\/gif$)/,
  audio: /^(audio|video)\//,
};

export const acceptOf: Readonly<Record<Media, string>> = {
  image: 'image/*',
  mask: 'image/*',
  video: 'video/*,image/gif',
  audio: 'audio/*',
};

/**
 * Which field a file belongs to that was pasted, or dropped beside the fields: the one that the person is in, else the first
 * empty one that takes such a file, else the first that takes it.
 */
export function fieldForFile(
  fields: readonly Field[],
  file: Pick<File, 'type'>,
  { active, isEmpty }: { active: string | undefined; isEmpty: (name: string) => boolean },
): FileField | undefined {
  const takers = fields.filter((field): field is FileField => field.kind === 'file');
  const fitting = takers.filter(({ media }) => kinds[media].test(file.type));
  return (
    takers.find(({ name }) => name === active) ??
    fitting.find(({ name, media }) => media !== 'mask' && isEmpty(name)) ??
    fitting.find(({ name }) => isEmpty(name)) ??
    fitting[0]
  );
}
