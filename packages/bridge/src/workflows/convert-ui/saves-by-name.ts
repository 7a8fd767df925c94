/**
 * The VideoHelperSuite saves the values of its nodes by name instead of by position, buttons and previews included, and
 * sends all but those. Read off its behaviour in version 1.7, where the batched VAE nodes lose theirs.
 */
export function savesByName(classType: string): boolean {
  return classType.startsWith('VHS_') && !classType.endsWith('Batched');
}

/** Its choice of a format brings inputs of its own, which the definition does not list. */
export function takesOthers(classType: string): boolean {
  return classType === 'VHS_VideoCombine';
}

/** Saved, and not sent. */
export function isDecoration(name: string): boolean {
  return decorations.has(name);
}

const decorations: ReadonlySet<string> = new Set([
  'videopreview',
  'audiopreview',
  'choose video to upload',
  'choose audio to upload',
  'choose folder to upload',
]);
