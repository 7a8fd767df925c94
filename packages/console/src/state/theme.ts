import { ref, watchEffect } from 'vue';

export type Theme = 'system' | 'light' | 'dark';

const storageKey = 'comfy-bridge.theme';

function firstTheme(): Theme {
  try {
    const kept = localStorage.getItem(storageKey);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    return 'system';
  }
}

export const theme = ref<Theme>(firstTheme());

watchEffect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});

export function setTheme(wanted: Theme): void {
  theme.value = wanted;
  try {
    localStorage.setItem(storageKey, wanted);
  } catch {
    // Storage is off: it holds until the page is closed.
  }
}
