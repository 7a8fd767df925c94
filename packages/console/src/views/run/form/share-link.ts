import type { Field } from './form-model.ts';
import type { FormValues } from './form-values.ts';

/** Longer addresses are cut off by chats and mail programs. */
const maxLength = 6_000;

/**
 * What an address of this page carries of the form: the values that are not the author's own. No files, which belong to
 * whoever sent them, and nothing that looks like a password. Undefined when it is too long for an address.
 */
export function toShareText(
  fields: readonly Field[],
  { values, random }: Pick<FormValues, 'values' | 'random'>,
): string | undefined {
  const shared: Record<string, string | boolean> = {};
  for (const field of fields) {
    if (field.kind === 'file' || isSecret(field.name) || isSecret(field.label)) continue;
    if (field.kind === 'seed' && random[field.name] === true) continue;
    const value = values[field.name];
    // A seed that stays the same is worth telling, even when it is the author's.
    if (value !== undefined && (value !== field.default || field.kind === 'seed')) shared[field.name] = value;
  }
  const text = toBase64Url(JSON.stringify(shared));
  return text.length > maxLength ? undefined : text;
}

/** The values of such an address; undefined when it is none. */
export function parseShareText(text: string): Record<string, string | boolean> | undefined {
  try {
    const found: unknown = JSON.parse(fromBase64Url(text));
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
    return Object.fromEntries(
      Object.entries(found).filter(
        (entry): entry is [string, string | boolean] =>
          typeof entry[1] === 'string' || typeof entry[1] === 'boolean',
      ),
    );
  } catch {
    return undefined;
  }
}

function isSecret(name: string): boolean {
  return /pass(word|phrase|wd)|secret|token|api[\s_-]?key|credential/i.test(name);
}

function toBase64Url(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function fromBase64Url(text: string): string {
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
    character.charCodeAt(0),
  );
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
