import { defineConfig } from 'vite';

// One ES module for any Node from 18 on, with everything in it: it runs where nothing else of ours is.
export default defineConfig({
  build: {
    ssr: 'src/cli.ts',
    outDir: 'dist',
    target: 'node18',
    minify: false,
    sourcemap: false,
    rolldownOptions: { output: { entryFileNames: '[name].mjs', codeSplitting: false } },
  },
  ssr: { noExternal: true },
});
