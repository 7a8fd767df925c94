import type { NodeDefinition, NodeInputSpec } from '../../comfy/object-info.ts';

/** A place in the list of values that the editor saves with a node. */
export type WidgetSlot = { name: string; spec: NodeInputSpec } | { name: undefined };

const widgetTypes: ReadonlySet<string> = new Set(['INT', 'FLOAT', 'STRING', 'BOOLEAN', 'COMBO']);

/** Types whose value lives in the browser, or whose widget the editor makes up as it goes. */
const editorTypes: ReadonlySet<string> = new Set([
  'WEBCAM',
  'AUDIO_RECORD',
  'LOAD_3D',
  'LOAD_3D_ANIMATION',
  'PREVIEW_3D',
  'PREVIEW_3D_ANIMATION',
  'MARKDOWN',
  'COLOR',
  'IMAGEUPLOAD',
  'AUDIOUPLOAD',
  'FILEUPLOAD',
  'IMAGECOMPARE',
  'TREESELECT',
  'MULTISELECT',
  'CHART',
  'GALLERIA',
  'SELECTBUTTON',
  'TEXTAREA',
  'COMFY_DYNAMICCOMBO_V3',
  'COMFY_DYNAMICGROUP_V3',
  'COMFY_DYNAMICSLOT_V3',
  'COMFY_AUTOGROW_V3',
]);

/** The type as the editor shows it. A pack's field for seconds holds a plain number. */
export function shownType({ type, editor }: NodeInputSpec): string {
  return editor?.widgetType === undefined || editor.widgetType === 'VHSTIMESTAMP' ? type : editor.widgetType;
}

/** True where the editor shows a field for the input, and a socket beside it; else it is a socket only. */
export function isWidget(spec: NodeInputSpec): boolean {
  return spec.editor?.forceInput !== true && widgetTypes.has(shownType(spec));
}

/** Why the values of such an input cannot be told without the editor; undefined where they can. */
export function editorOnly(spec: NodeInputSpec): string | undefined {
  if (spec.editor?.forceInput === true) return undefined;
  if (editorTypes.has(shownType(spec)) || (shownType(spec) !== spec.type && !isWidget(spec)))
    return 'is filled in by the editor itself';
  return spec.editor?.remote === true ? 'asks the machine for its choices while it is shown' : undefined;
}

/**
 * The places of a node's values in the order in which the editor saves them: the inputs as the definition lists them,
 * required before optional. A whole number may be followed by what is to happen to it after a run, a choice by that and a
 * filter, and an input for a file leaves a place for its button at the end.
 */
export function planWidgets({ inputs }: NodeDefinition): WidgetSlot[] {
  const slots: WidgetSlot[] = [];
  let hasButton = false;
  for (const [name, spec] of inputs) {
    if (!isWidget(spec)) continue;
    slots.push({ name, spec });
    slots.push(...Array.from({ length: controlsOf(name, spec) }, () => ({ name: undefined })));
    hasButton ||= spec.upload !== undefined && spec.required;
  }
  if (hasButton) slots.push({ name: undefined });
  return slots;
}

function controlsOf(name: string, spec: NodeInputSpec): number {
  const control = spec.editor?.control;
  const type = shownType(spec);
  if (type === 'COMBO') return control === true ? 2 : 0;
  if (type !== 'INT') return 0;
  return (control ?? (name === 'seed' || name === 'noise_seed')) ? 1 : 0;
}
