import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

// Relative links: the page works under any path of a proxy. The bridge serves `index.html` at its root and the rest under `console/`.
export default defineConfig({
  base: './',
  plugins: [vue()],
  // What is not used of Vue: options of components, and its tools.
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false },
  build: {
    target: 'es2023',
    outDir: 'dist',
    assetsDir: 'console',
    // A picture in the text of a file would be carried by whoever never sees it.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  // `vite` beside a bridge: `BRIDGE=http://127.0.0.1:8000 pnpm --filter @comfy-bridge/console exec vite`.
  server: {
    proxy: {
      '/api': process.env['BRIDGE'] ?? 'http://127.0.0.1:8000',
      '/docs': process.env['BRIDGE'] ?? 'http://127.0.0.1:8000',
    },
  },
});
