import type { WorkflowDetail } from '@comfy-bridge/protocol';
import { onScopeDispose, ref } from 'vue';
import type { Ref } from 'vue';

import { CallError, call } from '../../bridge/call.ts';
import { usePage } from '../../state/page.ts';

const everyMs = 15_000;

/** Whether a workflow can run at the moment. */
export interface WorkflowState {
  /** Why not, in the bridge's words; null when it can. */
  readonly whyNot: Readonly<Ref<string | null>>;
  /** Whether a job would wait for a machine that is only away. */
  readonly canWait: Readonly<Ref<boolean>>;
}

/** Looked after until the view ends. `onAble`: a machine has come that can run it, and knows what its inputs take. */
export function useWorkflowState(workflow: WorkflowDetail, onAble: () => void): WorkflowState {
  const page = usePage();
  const whyNot = ref(workflow.why_not);
  const canWait = ref(workflow.can_run);
  let isFirst = true;

  async function look(): Promise<void> {
    try {
      const found = await call<WorkflowDetail>(`api/bridge/workflows/${encodeURIComponent(workflow.alias)}`);
      const isNew = JSON.stringify(found.input_schema) !== JSON.stringify(workflow.input_schema);
      if (isNew && whyNot.value !== null && found.why_not === null) onAble();
      whyNot.value = found.why_not;
      canWait.value = found.can_run;
    } catch (error) {
      // The line is cut, which the page says itself; or it was taken out, which a submit will say.
      if (!(error instanceof CallError)) throw error;
    }
  }

  const timer = setInterval(() => {
    if (document.visibilityState === 'visible' && page.live.value === 'open') void look();
  }, everyMs);
  const stop = page.onOpen(() => {
    if (!isFirst) void look();
    isFirst = false;
  });
  onScopeDispose(() => {
    clearInterval(timer);
    stop();
  });
  return { whyNot, canWait };
}
