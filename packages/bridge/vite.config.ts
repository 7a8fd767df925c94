import { defineConfig } from 'vite';

// ES modules for Node, one per thread: the workspace's own packages are bundled in, everything from the registry stays outside.
export default defineConfig({
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
