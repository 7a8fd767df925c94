import { defineConfig } from 'vite';

// ComfyUI imports every .js file that it finds under web/, so there is exactly one: no chunks, no second entry. The editor's
// own modules stay imports; the file is served at /extensions/<pack folder>/comfy-bridge.js, two folders below /scripts.
export default defineConfig({
  build: {
    outDir: 'web',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    modulePreload: false,
    lib: { entry: 'src/main.ts', formats: ['es'], fileName: () => 'comfy-bridge.js' },
    rolldownOptions: {
      external: ['comfyui/scripts/app.js', 'comfyui/scripts/api.js'],
      output: {
        codeSplitting: false,
        paths: {
          'comfyui/scripts/app.js': '../../scripts/app.js',
          'comfyui/scripts/api.js': '../../scripts/api.js',
        },
      },
    },
  },
});
