// Writes docs/openapi.json, the document of a bridge without workflows: `node scripts/write-openapi.ts`.
import { writeFile } from 'node:fs/promises';

import { renderDocument } from '../packages/bridge/src/http/openapi/render-document.ts';
import { version } from '../packages/bridge/src/version.ts';

await writeFile(new URL('../docs/openapi.json', import.meta.url), renderDocument(version));
