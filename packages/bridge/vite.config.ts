import { cpSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

// ES modules for Node, one per thread: the workspace's own packages are bundled in, everything from the registry stays outside.
export default defineConfig({
  plugins: [copyPage()],
  build: {
    ssr: true,
    outDir: 'dist',
    target: 'node24',
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      input: {
        main: 'src/main.ts',
        'sqlite-worker': 'src/jobs/sqlite/worker.ts',
        'probe-worker': 'src/files/probe/probe-worker.ts',
        'object-info-worker': 'src/comfy/object-info-worker.ts',
      },
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
    },
  },
  ssr: { noExternal: [/^@comfy-bridge\//] },
});

/** The page lies beside the program, in `console`; a bridge without it says how to build it. */
function copyPage(): Plugin {
  const page = join(import.meta.dirname, '../console/dist');
  let outDir = '';
  return {
    name: 'copy-page',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    writeBundle() {
      if (existsSync(join(page, 'index.html'))) cpSync(page, join(outDir, 'console'), { recursive: true });
      else this.warn('packages/console is not built: this bridge has no page');
    },
  };
}
