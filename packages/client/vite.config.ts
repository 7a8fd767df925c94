import { defineConfig } from 'vite';

// Two builds: one file for browsers, and (`--mode node`) the same with files by their path, beside the command line.
export default defineConfig(({ mode }) => {
  const forNode = mode === 'node';
  return {
    build: {
      outDir: 'dist',
      emptyOutDir: !forNode,
      target: forNode ? 'node18' : 'es2022',
      minify: !forNode,
      sourcemap: true,
      modulePreload: false,
      ssr: forNode,
      rolldownOptions: {
        input: forNode ? { node: 'src/node.ts', cli: 'src/cli.ts' } : { index: 'src/index.ts' },
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].mjs', chunkFileNames: 'client-[hash].mjs' },
      },
    },
  };
});
