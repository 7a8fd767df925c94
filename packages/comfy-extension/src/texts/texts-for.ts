import { en, type Texts } from './en.ts';
import { ko } from './ko.ts';

/** The texts in the editor's language (`Comfy.Locale`, else the browser's); English for all others. */
export function textsFor(locale: unknown): Texts {
  return typeof locale === 'string' && /^ko\b/i.test(locale) ? ko : en;
}
