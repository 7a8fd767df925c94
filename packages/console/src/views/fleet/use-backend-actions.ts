import { computed, ref } from 'vue';

import { CallError, call } from '../../bridge/call.ts';
import { tell } from '../../state/notices.ts';
import type { FleetBackend } from './fleet-backend.ts';
import { fleetWords as t } from './fleet-words.ts';

export type BackendAction = 'drain' | 'pause' | 'resume' | 'free';

/** What an operator can do with one backend as it is now. */
export function actionsFor({ status, mode }: FleetBackend): BackendAction[] {
  const isLeaving = status === 'leaving';
  return [
    ...(isLeaving || mode !== 'active' || status === 'quarantined' ? (['resume'] as const) : []),
    ...(!isLeaving && mode !== 'paused' ? (['pause'] as const) : []),
    ...(!isLeaving && mode === 'active' ? (['drain'] as const) : []),
    ...(status === 'lost' || status === 'connecting' ? [] : (['free'] as const)),
  ];
}

/** Does it, and tells how it went. */
export function useBackendActions(backend: () => FleetBackend, done: () => void) {
  const busy = ref<BackendAction>();
  const actions = computed(() => actionsFor(backend()));

  async function run(action: BackendAction): Promise<void> {
    const { name } = backend();
    busy.value = action;
    try {
      await call(`api/bridge/backends/${encodeURIComponent(name)}/${action}`, { method: 'POST' });
      tell(t(`did-${action}`, { name }), 'success');
      done();
    } catch (error) {
      tell(messageOf(error), 'error');
    } finally {
      busy.value = undefined;
    }
  }
  return { actions, busy, run };
}

/** Why a call failed, for people. */
export function messageOf(error: unknown): string {
  return error instanceof CallError && error.message !== '' ? error.message : t('no-answer');
}
