import type { InputKey, InputMark } from '@comfy-bridge/protocol';

import { labelOf, wishName } from './caller-names.ts';
import type { MarkEntry, MarkTarget } from './mark-entry.ts';
import { canBeNamed } from './mark-problems.ts';
import { titleOf } from './walk-graph.ts';
import { offeredOptions, toWidgetSpec } from './widget-spec.ts';
import type { WidgetSpec } from './widget-spec.ts';

/** One field of the form that a caller would fill in: one input of the workflow. */
export interface FormField extends WidgetSpec {
  /** What the bridge will call it: after its label, else after its input; its key where two would be called the same. */
  name: string;
  /** Where its value lies in the API format (`12:3/text`). */
  key: InputKey;
  nodeId: string;
  inputName: string;
  /** Where else in the API format. */
  also: readonly Pick<MarkTarget, 'nodeId' | 'inputName'>[];
  /** For people. */
  label: string;
  description: string | undefined;
  required: boolean;
  /** What the widget holds now. */
  value: unknown;
  entry: MarkEntry;
}

/** The form of a caller: one field for each input that a mark opens and that can be set. In the author's order. */
export function toFormFields(entries: readonly MarkEntry[]): FormField[] {
  const inputs = listInputs(entries);
  const wished = inputs.map(({ label, target }) => wishName(label, target.inputName));
  const times = new Map<string, number>();
  for (const name of wished) times.set(name, (times.get(name) ?? 0) + 1);
  return inputs.map(({ entry, target, also, label }, index): FormField => {
    const { nodeId, inputName, node } = target;
    const key: InputKey = `${nodeId}/${inputName}`;
    const name = wished[index] ?? '';
    return {
      name: name !== '' && times.get(name) === 1 ? name : key,
      key,
      nodeId,
      inputName,
      also: also.map((each) => ({ nodeId: each.nodeId, inputName: each.inputName })),
      label: label ?? `${titleOf(node)}: ${inputName}`,
      description: entry.mark.description,
      required: entry.mark.required ?? false,
      ...toFieldSpec(target, entry.mark),
      value: (entry.widget ?? target.widget)?.value,
      entry,
    };
  });
}

/** In the editor a file is chosen among those of this machine. */
function toFieldSpec(target: MarkTarget, mark: InputMark): WidgetSpec {
  const spec = toWidgetSpec(target, mark);
  return spec.format === undefined ? spec : { ...spec, options: offeredOptions(target.widget) };
}

export interface OpenInput {
  entry: MarkEntry;
  target: MarkTarget;
  /** Further inputs that get the same value. */
  also: readonly MarkTarget[];
  label: string | undefined;
}

const preventing: ReadonlySet<string> = new Set([
  'linked',
  'muted',
  'bypassed',
  'no-such-widget',
  'unknown-node',
  'not-exported',
]);

/** What the exported marks open: one input for each mark, and each input once. */
export function listInputs(entries: readonly MarkEntry[]): OpenInput[] {
  const taken = new Set<string>();
  return entries
    .filter(({ problems }) => !problems.some((problem) => preventing.has(problem)))
    .flatMap((entry) => {
      const free = entry.targets.filter(({ nodeId, inputName }) => {
        const key = `${nodeId}/${inputName}`;
        const isNew = !taken.has(key) && canBeNamed(inputName);
        taken.add(key);
        return isNew;
      });
      const [target, ...also] = free;
      return target === undefined ? [] : [{ entry, target, also, label: labelOf(entry) }];
    });
}
