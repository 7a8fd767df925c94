import { isOne, language } from './language.ts';
import type { Language } from './language.ts';

/** `{name}` is filled in; a list is one form for one thing and one for several, chosen by `count`. */
type Text = string | readonly [one: string, several: string];
type Values = Readonly<Record<string, string | number>>;

/**
 * The texts of one view, in every language: a key that one of them lacks does not compile. Read in a template or a computed
 * value, a text follows the language of the page.
 */
export function defineWords<Key extends string>(
  words: Readonly<Record<Language, Readonly<Record<Key, Text>>>>,
): (key: Key, values?: Values) => string {
  return (key, values = {}) => {
    const text = words[language.value][key];
    const count = Number(values['count'] ?? 2);
    const form = typeof text === 'string' ? text : text[isOne(count) ? 0 : 1];
    return form.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  };
}
