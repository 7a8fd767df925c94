import { button, el } from './elements.ts';
import { addStyles } from './style.ts';

interface DialogOptions {
  title: string;
  closeLabel: string;
  onClose?: () => void;
}

export interface OpenDialog {
  close(): void;
}

/** Shows a modal dialog: Escape closes it, the focus stays in it and goes back afterwards. */
export function openDialog({ title, closeLabel, onClose }: DialogOptions, ...content: Node[]): OpenDialog {
  addStyles();
  const dialog = el('dialog', { class: 'cb cb-dialog', 'aria-label': title });
  const close = button(
    closeLabel,
    () => {
      dialog.close();
    },
    { icon: 'pi pi-times', class: 'cb-plain', title: closeLabel },
  );
  const head = el('div', { class: 'cb-row' }, el('h2', { class: 'cb-name' }, title), close);
  dialog.append(el('div', { class: 'cb-stack' }, head, ...content));
  // The editor takes Escape for itself when the focus is on the page, as after a click on the backdrop.
  const onEscape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    dialog.close();
  };
  window.addEventListener('keydown', onEscape, true);
  dialog.addEventListener('close', () => {
    window.removeEventListener('keydown', onEscape, true);
    dialog.remove();
    onClose?.();
  });
  // The editor's shortcuts (Delete, Ctrl+Z, …) are meant for the canvas, not for what is typed here.
  dialog.addEventListener('keydown', (event) => {
    event.stopPropagation();
  });
  document.body.append(dialog);
  dialog.showModal();
  return {
    close() {
      dialog.close();
    },
  };
}
