import { buildDocument } from './build-document.ts';
import { operations } from './operations.ts';

/** The document of a bridge without workflows, as it is committed: the promise that later ones are held to. */
export function renderDocument(version: string): string {
  return `${JSON.stringify(buildDocument(operations, { version }), null, 2)}\n`;
}
