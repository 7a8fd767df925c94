import { expect, test } from 'vitest';

import { isOwnSpot } from './spot.ts';
import type { Place } from './spot.ts';

test.each<[Place, string]>([
  ['comfyui', 'main_adapted.py'],
  ['custom-nodes', ''],
  ['custom-nodes', 'comfy-bridge/donor/setup.py'],
  ['input', 'sample a.png'],
  ['state', 'donor.json'],
])('%s %j is ours', (place, path) => {
  expect(isOwnSpot({ place, path })).toBe(true);
});

test.each<[Place, string]>([
  ['comfyui', ''],
  ['comfyui', 'main.py'],
  ['custom-nodes', 'other/x.py'],
  ['custom-nodes', 'comfy-bridge/../other'],
  ['custom-nodes', 'comfy-bridge//x'],
  ['custom-nodes', '/comfy-bridge'],
  ['custom-nodes', String.raw`comfy-bridge\..\x`],
  ['custom-nodes', 'comfy-bridge/x\0'],
  ['custom-nodes', 'comfy-bridge/c:x'],
  ['input', 'sub/x.png'],
  ['input', '.bashrc'],
  ['state', 'receipt.json'],
])('%s %j is not', (place, path) => {
  expect(isOwnSpot({ place, path })).toBe(false);
});
