import { button, el } from './elements.ts';
import { askLending, describeLending, type LendingAnswer } from './lending-status.ts';
import type { Session } from './session.ts';

const askEveryMs = 10_000;

/** Sessions whose ComfyUI is not lent: it is not asked again until the page is loaded anew. */
const notLent = new WeakSet<Session>();

/** "Lending": says whether this PC is lent, and lets its owner pause that. Not shown by a ComfyUI without donor mode. */
export function lendingSection(session: Session): { element: HTMLElement; close(): void } {
  const t = session.texts();
  const state = el('p', { role: 'status', 'aria-live': 'polite' });
  const buttons = el('div', { class: 'cb-bar' });
  const problem = el('p', { class: 'cb-bad', role: 'alert' });
  const element = el(
    'section',
    { class: 'cb-section cb-stack', hidden: true },
    el('h3', {}, t.lending),
    state,
    buttons,
    problem,
  );
  let isAsking = false;
  let changes = 0;
  let isClosed = false;
  let drawn = '';
  const show = (answer: LendingAnswer): void => {
    if (isClosed) return;
    if (answer.kind === 'absent' && element.hidden) notLent.add(session);
    if (answer.kind === 'absent') element.hidden = true;
    if (answer.kind !== 'status') return;
    const text = describeLending(t, answer.status);
    element.hidden = false;
    // A text that is set again would be read out again.
    if (text === drawn) return;
    drawn = text;
    state.textContent = text;
    const hadFocus = buttons.contains(document.activeElement);
    buttons.replaceChildren(...(answer.status.isPaused ? [act(t.resume, 'resume')] : pauses()));
    if (hadFocus) buttons.querySelector('button')?.focus({ preventScroll: true });
  };
  const look = async (): Promise<void> => {
    if (notLent.has(session) || document.hidden || isAsking) return;
    isAsking = true;
    const before = changes;
    const answer = await askLending(session.api, 'status');
    isAsking = false;
    // What was asked before a change may be answered as it was before.
    if (before === changes) show(answer);
  };
  const change = async (action: 'pause' | 'resume', minutes?: number): Promise<void> => {
    changes += 1;
    const own = changes;
    const answer = await askLending(session.api, action, minutes);
    if (own !== changes) return;
    show(answer);
    problem.textContent =
      answer.kind === 'status' ? '' : answer.kind === 'refused' ? t.lendingRefused : t.lendingFailed;
  };
  const act = (label: string, action: 'pause' | 'resume', minutes?: number): HTMLElement =>
    button(label, () => void change(action, minutes));
  const pauses = (): HTMLElement[] => [
    act(t.pauseShort, 'pause', 15),
    act(t.pauseHour, 'pause', 60),
    act(t.pauseOn, 'pause'),
  ];
  void look();
  const timer = setInterval(() => void look(), askEveryMs);
  return {
    element,
    close() {
      isClosed = true;
      clearInterval(timer);
    },
  };
}
