import type { MarkEntry } from './mark-entry.ts';

/**
 * Lower case; every run of what is neither a letter nor a digit becomes one `_`, none at the ends. As the bridge makes
 * names of labels.
 */
export function toSlug(text: string): string {
  // Most names are slugs already, and the rest takes a hundred times as long.
  if (/^[a-z0-9]+(?:_[a-z0-9]+)*$/.test(text)) return text;
  return text
    .normalize('NFC')
    .toLowerCase()
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '_')
    .replace(/^_|_$/g, '');
}

/** What people call the mark: the author's label, else the name that a promoted widget has outside. */
export function labelOf({
  mark,
  widget,
  targets,
}: Pick<MarkEntry, 'mark' | 'widget' | 'targets'>): string | undefined {
  if (mark.label !== undefined) return mark.label;
  const shown = widget?.label ?? mark.name;
  const isRenamed = targets.some(({ inputName }) => inputName !== mark.name);
  return isRenamed ? shown : undefined;
}

/** The name that the bridge would like to give. */
export function wishName(label: string | undefined, inputName: string): string {
  return toSlug(label ?? '') || toSlug(inputName);
}
