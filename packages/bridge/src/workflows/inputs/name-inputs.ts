import type { ApiInput, PublishedWorkflow } from '../catalog/published-workflow.ts';

/** An API input with what callers may call it. */
export interface NamedInput {
  /** Unique within its workflow, and the one that is told. */
  name: string;
  /** The author's label; null when there is none. Several inputs may have the same. */
  label: string | null;
  input: ApiInput;
}

/**
 * Names the inputs of a workflow for people and programs: `Negative prompt` is `negative_prompt`. Without a label, after the
 * input itself. Where two would have the same name, each has its key (`6/text`): no name ever means another input because
 * of the order of a file. In the author's order.
 */
export function nameInputs(workflow: Pick<PublishedWorkflow, 'inputs'>): NamedInput[] {
  const wished = workflow.inputs.map(wishName);
  const times = new Map<string, number>();
  for (const name of wished) times.set(name, (times.get(name) ?? 0) + 1);
  return workflow.inputs.map((input, index) => {
    const name = wished[index] ?? '';
    const isUsable = name !== '' && times.get(name) === 1;
    return { name: isUsable ? name : input.key, label: input.mark.label ?? null, input };
  });
}

function wishName({ inputName, mark }: ApiInput): string {
  return toSlug(mark.label ?? '') || toSlug(inputName);
}

/**
 * Lower case; every run of what is neither a letter nor a digit becomes one `_`, none at the ends. Marks that belong to a
 * letter (the vowel signs of many scripts) count as part of it.
 */
export function toSlug(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '_')
    .replace(/^_|_$/g, '');
}
