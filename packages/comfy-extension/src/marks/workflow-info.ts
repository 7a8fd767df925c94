import type { WorkflowInfo } from '@comfy-bridge/protocol';

import { listInputs } from './form-fields.ts';
import type { MarkEntry } from './mark-entry.ts';
import { classOf, titleOf } from './walk-graph.ts';
import { toWidgetSpec } from './widget-spec.ts';

/**
 * What `GET /workflow-info` of the original API will answer for these marks, as far as the editor knows: the bridge takes
 * limits and options from the machines.
 */
export function toWorkflowInfo(entries: readonly MarkEntry[]): WorkflowInfo {
  return Object.fromEntries(
    listInputs(entries).map(({ entry, target, label }, order) => {
      const { type, format, options, min, max, step } = toWidgetSpec(target, entry.mark);
      const { description, required } = entry.mark;
      const info: WorkflowInfo[string] = {
        type,
        title: titleOf(target.node),
        class: classOf(target.node),
        default: (entry.widget ?? target.widget)?.value,
        ...(format !== undefined && { format }),
        ...(options !== undefined && { options }),
        ...(min !== undefined && { min }),
        ...(max !== undefined && { max }),
        ...(step !== undefined && { step }),
        ...(label !== undefined && { label }),
        ...(description !== undefined && { description }),
        ...(required !== undefined && { required }),
        order,
      };
      return [`${target.nodeId}/${target.inputName}`, info];
    }),
  );
}
