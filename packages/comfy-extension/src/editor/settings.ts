import type { Setting } from './comfy-types.ts';
import { el } from './elements.ts';
import { readSetting, type Session } from './session.ts';
import { addStyles } from './style.ts';

export const settingIds = {
  address: 'ComfyBridge.Address',
  token: 'ComfyBridge.OperatorToken',
  exportWithMarks: 'ComfyBridge.ExportWithMarks',
};

const tokenKey = 'ComfyBridge.OperatorToken';

export function settingsOf({ texts }: Session): Setting[] {
  const t = texts();
  return [
    {
      id: settingIds.exportWithMarks,
      name: t.settingsExport,
      category: ['Comfy Bridge', 'Export', 'Marks'],
      type: 'boolean',
      defaultValue: true,
    },
    {
      id: settingIds.token,
      name: t.settingsToken,
      category: ['Comfy Bridge', 'Bridge', 'Token'],
      tooltip: t.settingsTokenHint,
      type: tokenInput,
      defaultValue: '',
    },
    {
      id: settingIds.address,
      name: t.settingsAddress,
      category: ['Comfy Bridge', 'Bridge', 'Address'],
      tooltip: t.settingsAddressHint,
      type: 'text',
      defaultValue: '',
    },
  ];
}

export function readAddress({ app }: Session): string {
  const address = readSetting(app, settingIds.address);
  return typeof address === 'string' ? address : '';
}

export function saveAddress({ app }: Session, address: string): void {
  void app.extensionManager.setting.set(settingIds.address, address);
}

/** Whether the editor's own Export (API) and its queue carry the marks. */
export function carriesMarks({ app }: Session): boolean {
  return readSetting(app, settingIds.exportWithMarks) !== false;
}

/**
 * The operator token is kept in this browser: ComfyUI stores settings on its server, and gives them to everyone who can
 * open it.
 */
export function readToken(): string {
  try {
    return localStorage.getItem(tokenKey) ?? '';
  } catch {
    // The browser allows no storage; the token has to be typed each time.
    return '';
  }
}

export function saveToken(token: string): void {
  try {
    if (token === '') localStorage.removeItem(tokenKey);
    else localStorage.setItem(tokenKey, token);
  } catch {
    // As above.
  }
}

function tokenInput(name: string): HTMLElement {
  const input = el('input', {
    type: 'password',
    class: 'cb-input',
    value: readToken(),
    'aria-label': name,
    autocomplete: 'off',
  });
  input.addEventListener('change', () => {
    saveToken(input.value.trim());
  });
  addStyles();
  return el('div', { class: 'cb' }, input);
}
