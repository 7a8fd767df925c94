import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/tests/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: ['test/_fail-on-leaks.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Two cores are what CI has; more workers only make each other wait.
    maxWorkers: 2,
    // Two suites on one real ComfyUI would clear and interrupt each other's queue.
    fileParallelism: process.env['COMFY_URL'] === undefined,
  },
});
