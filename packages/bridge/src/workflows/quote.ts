/** A caller's text as it may be said back to him: short, on one line, in quotes. */
export function quote(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return `"${shown.toWellFormed().replace(/\p{Cc}+/gu, ' ')}"`;
}

/** At most 100 names, then how many more there are. */
export function shorten(names: readonly string[]): string {
  const more = names.length - 100;
  return names.slice(0, 100).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
