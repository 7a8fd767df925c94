import { defineConfig } from 'vite';

// One ES module for Node: the workspace's own packages are bundled in, everything from the registry stays outside.
export default defineConfig({
  build: {
    ssr: 'src/main.ts',
    outDir: 'dist',
    target: 'node24',
    minify: false,
    sourcemap: true,
    rolldownOptions: { output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' } },
  },
  ssr: { noExternal: [/^@comfy-bridge\//] },
});
