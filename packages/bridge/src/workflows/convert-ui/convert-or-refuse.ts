import type { ApiPrompt } from '@comfy-bridge/protocol';

import { BridgeError } from '../../errors.ts';
import type { FindDefinition } from '../inputs/input-spec.ts';
import { convertUiWorkflow } from './convert-ui-workflow.ts';

/** `convertUiWorkflow` for callers: throws `invalid_workflow` with every reason in its `details.reasons`. */
export function convertOrRefuse(
  workflow: unknown,
  { findDefinition }: { findDefinition: FindDefinition },
): ApiPrompt {
  const converted = convertUiWorkflow(workflow, { findDefinition });
  if (converted.ok) return converted.prompt;
  const [first = 'it cannot be read', ...others] = converted.reasons;
  const more = others.length === 0 ? '' : ` (and ${others.length} more, all in details.reasons)`;
  throw new BridgeError('invalid_workflow', `the workflow cannot be converted exactly: ${first}${more}`, {
    details: { reasons: converted.reasons },
  });
}
