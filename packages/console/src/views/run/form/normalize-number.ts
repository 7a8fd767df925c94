/** `0,5` is what half the world writes; spaces around it and a plus mean nothing. Undefined: it is no number. */
export function normalizeNumber(text: string): string | undefined {
  const trimmed = text
    .trim()
    .replace(/^\+/, '')
    .replace(/^(-?\d*),(\d+)$/, '$1.$2')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.$/, '');
  return /^-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?$/.test(trimmed) ? trimmed : undefined;
}
