// Writes docs/config.md from the option tables: `node scripts/write-config-docs.ts`.
import { writeFile } from 'node:fs/promises';

import { renderConfigDocs } from '../packages/bridge/src/config/render-help.ts';

await writeFile(new URL('../docs/config.md', import.meta.url), renderConfigDocs());
