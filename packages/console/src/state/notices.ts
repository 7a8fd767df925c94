import { shallowRef } from 'vue';

export interface Notice {
  id: number;
  kind: 'info' | 'success' | 'error';
  text: string;
}

const maxNotices = 4;
let nextId = 1;

/** What is told at the edge of the page for a while; read out by screen readers. */
export const notices = shallowRef<readonly Notice[]>([]);

export function tell(text: string, kind: Notice['kind'] = 'info'): void {
  const notice: Notice = { id: nextId++, kind, text };
  notices.value = [...notices.value, notice].slice(-maxNotices);
  // An error stays until it is read away.
  if (kind !== 'error') setTimeout(() => dismiss(notice.id), 6_000);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
