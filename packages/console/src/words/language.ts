import { computed, ref, watchEffect } from 'vue';

export type Language = 'en' | 'ko';

const storageKey = 'comfy-bridge.language';

function firstLanguage(): Language {
  const kept = read();
  if (kept === 'en' || kept === 'ko') return kept;
  return navigator.languages.find((tag) => /^(en|ko)\b/.test(tag))?.startsWith('ko') === true ? 'ko' : 'en';
}

function read(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

/** The language of the page. */
export const language = ref<Language>(firstLanguage());

watchEffect(() => {
  document.documentElement.lang = language.value;
});

export function setLanguage(wanted: Language): void {
  language.value = wanted;
  try {
    localStorage.setItem(storageKey, wanted);
  } catch {
    // Storage is off: it holds until the page is closed.
  }
}

const formats = computed(() => ({
  number: new Intl.NumberFormat(language.value),
  percent: new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: 0 }),
  time: new Intl.DateTimeFormat(language.value, { timeStyle: 'medium' }),
  moment: new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'short' }),
  relative: new Intl.RelativeTimeFormat(language.value, { numeric: 'auto' }),
  one: new Intl.PluralRules(language.value),
}));

export const formatNumber = (value: number): string => formats.value.number.format(value);
/** 0 to 1 */
export const formatPercent = (share: number): string => formats.value.percent.format(share);
/** An ISO time: the day, too, where it is not today. */
export function formatMoment(iso: string): string {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? formats.value.time : formats.value.moment).format(date);
}
export const isOne = (count: number): boolean => formats.value.one.select(count) === 'one';

/** `3 minutes ago`, `3분 전`; both in ms since the epoch. */
export function formatAgo(then: number, now: number): string {
  const seconds = Math.round((then - now) / 1000);
  const steps = [
    [60, 1, 'second'],
    [3600, 60, 'minute'],
    [86_400, 3600, 'hour'],
    [Infinity, 86_400, 'day'],
  ] as const;
  const [, divisor, unit] = steps.find(([limit]) => Math.abs(seconds) < limit) ?? steps[3];
  return formats.value.relative.format(Math.round(seconds / divisor), unit);
}

/** Milliseconds for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  const [h, min, s] = language.value === 'ko' ? ['시간', '분', '초'] : [' h', ' min', ' s'];
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${formatNumber(Math.max(0, Math.round(seconds * 10) / 10))}${s}`;
  if (seconds < 60) return `${Math.round(seconds)}${s}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}${min} ${Math.round(seconds % 60)}${s}`;
  return `${Math.floor(minutes / 60)}${h} ${minutes % 60}${min}`;
}

/** `1.2 MB`; steps of 1000, as file managers show them. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const rounded = value < 9.95 && unit > 0 ? Math.round(value * 10) / 10 : Math.round(value);
  return `${formatNumber(rounded)} ${units[unit]}`;
}
