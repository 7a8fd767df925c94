import type { PublishedWorkflowAnswer, WorkflowDetail, WorkflowVersionsAnswer } from '@comfy-bridge/protocol';
import { ref, shallowRef } from 'vue';

import { CallError, call, callForBlob } from '../../bridge/call.ts';
import { useLoaded } from '../../state/loading.ts';
import { tell } from '../../state/notices.ts';
import { publish, workflowPath } from './publish.ts';
import type { Publication } from './publish.ts';
import { workflowWords as t } from './workflow-words.ts';

/** One published workflow with its file and its versions, and how it is changed. */
export function useWorkflow(aliasOf: () => string) {
  const path = () => workflowPath(aliasOf());
  const workflow = useLoaded(async (signal) => {
    const [detail, file, versions] = await Promise.all([
      call<WorkflowDetail>(path(), { signal }),
      callForBlob(`${path()}/file`, { signal }).then((blob) => blob.text()),
      call<WorkflowVersionsAnswer>(`${path()}/versions`, { signal }),
    ]);
    return { detail, file, versions };
  });
  const answer = shallowRef<PublishedWorkflowAnswer>();
  const isBusy = ref(false);

  /** True when it worked; else somebody was told why it did not. */
  async function run(
    work: () => Promise<PublishedWorkflowAnswer | undefined>,
    done: string,
  ): Promise<boolean> {
    isBusy.value = true;
    try {
      answer.value = await work();
      tell(done, 'success');
      await workflow.reload();
      return true;
    } catch (error) {
      const isStale = error instanceof CallError && (error.status === 409 || error.status === 412);
      tell(isStale ? t('conflict') : error instanceof Error ? error.message : '', 'error');
      return false;
    } finally {
      isBusy.value = false;
    }
  }

  /** What is left out stays as it is. */
  async function change(
    changed: Partial<Pick<Publication, 'workflow' | 'description' | 'thumbnail'>>,
  ): Promise<boolean> {
    const known = workflow.value.value;
    if (known === undefined) return false;
    const { file, versions } = known;
    return await run(
      () => publish({ alias: aliasOf(), workflow: file, previous: versions.current, ...changed }),
      t('saved'),
    );
  }

  async function restore(version: string): Promise<boolean> {
    const url = `${path()}/versions/${encodeURIComponent(version)}/restore`;
    return await run(() => call<PublishedWorkflowAnswer>(url, { method: 'POST' }), t('restored'));
  }

  async function remove(): Promise<boolean> {
    isBusy.value = true;
    try {
      await call(path(), { method: 'DELETE' });
      tell(t('removed', { alias: aliasOf() }), 'success');
      return true;
    } catch (error) {
      tell(error instanceof Error ? error.message : '', 'error');
      return false;
    } finally {
      isBusy.value = false;
    }
  }

  return { workflow, answer, isBusy, change, restore, remove };
}
