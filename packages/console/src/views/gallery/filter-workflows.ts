import type { WorkflowEntry } from '@comfy-bridge/protocol';

type Searched = Pick<WorkflowEntry, 'alias' | 'title' | 'description'>;

/** Those that hold every word that was typed, in any order, in their title, name or description. */
export function filterWorkflows<W extends Searched>(workflows: readonly W[], query: string): readonly W[] {
  const words = fold(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return workflows;
  return workflows.filter(({ alias, title, description }) => {
    const text = fold(`${title} ${alias} ${description}`);
    return words.every((word) => text.includes(word));
  });
}

/**
 * Small letters without accents, and Korean syllables as their letters: who has typed half a syllable finds what begins so
 * already.
 */
function fold(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f]/g, '');
}
