import { expect, test } from 'vitest';

import { freeMemory, gpuName, parseSystemStats, totalMemory, usableMemory } from './system-stats.ts';

const GB = 1024 ** 3;

const stats = (device: object, system: object = {}) => {
  const parsed = parseSystemStats({
    system: { comfyui_version: '0.3.64', ram_total: 64 * GB, ram_free: 40 * GB, ...system },
    devices: [device],
  });
  if (parsed === undefined) throw new Error('not read');
  return parsed;
};

const gpu = {
  name: 'cuda:0',
  type: 'cuda',
  vram_total: 24 * GB,
  vram_free: 10 * GB,
  torch_vram_total: 12 * GB,
  torch_vram_free: 2 * GB,
};

test('what ComfyUI itself holds counts as usable, what other programs hold does not', () => {
  // Free outside of ComfyUI: 10 - 2. Its own: 12. Others have the 4 that are left.
  expect(usableMemory(stats(gpu))).toBe(20 * GB);
  expect(totalMemory(stats(gpu))).toBe(24 * GB);
});

test('an idle card is usable as a whole', () => {
  const idle = { ...gpu, vram_free: 24 * GB, torch_vram_total: 0, torch_vram_free: 0 };
  expect(usableMemory(stats(idle))).toBe(24 * GB);
});

test.each(['cpu', 'mps'])('on a device of type %s it is what the machine has free', (type) => {
  const device = {
    type,
    vram_total: 64 * GB,
    vram_free: 40 * GB,
    torch_vram_total: 64 * GB,
    torch_vram_free: 40 * GB,
  };
  expect(usableMemory(stats(device))).toBe(40 * GB);
  expect(totalMemory(stats(device))).toBe(64 * GB);
});

test('without a device it is the machine', () => {
  const parsed = parseSystemStats({ system: { ram_total: 8 * GB, ram_free: 3 * GB } });
  expect(parsed && [totalMemory(parsed), usableMemory(parsed)]).toEqual([8 * GB, 3 * GB]);
});

test('the gigabyte that every card has under DirectML is no knowledge', () => {
  const device = {
    type: 'privateuseone',
    vram_total: GB,
    vram_free: GB,
    torch_vram_total: GB,
    torch_vram_free: GB,
  };
  expect([totalMemory(stats(device)), usableMemory(stats(device))]).toEqual([0, 0]);
});

test.each<[string, object, number, number]>([
  ['negative', { vram_total: -1, vram_free: -5 }, 0, 0],
  ['text', { vram_total: '24 GB', vram_free: null, torch_vram_total: {}, torch_vram_free: [] }, 0, 0],
  ['no number', { vram_total: Number.NaN, vram_free: Number.POSITIVE_INFINITY }, 0, 0],
  ['more than a petabyte', { vram_total: 2 * 1024 ** 5 }, 0, 0],
  ['more free than there is', { vram_total: 8 * GB, vram_free: 99 * GB }, 8 * GB, 8 * GB],
  [
    'more taken than there is',
    { vram_total: 8 * GB, vram_free: 8 * GB, torch_vram_total: 99 * GB },
    8 * GB,
    8 * GB,
  ],
  [
    'more unused than taken',
    { vram_total: 8 * GB, vram_free: 8 * GB, torch_vram_total: GB, torch_vram_free: 8 * GB },
    8 * GB,
    8 * GB,
  ],
  [
    'unused, and yet not free',
    { vram_total: 8 * GB, vram_free: 0, torch_vram_total: 2 * GB, torch_vram_free: 2 * GB },
    8 * GB,
    0,
  ],
  ['a fraction', { vram_total: 1.5, vram_free: 1.5 }, 1, 1],
])('%s is cut or left out', (_what, device, total, usable) => {
  const parsed = stats({ type: 'cuda', ...device });
  expect([totalMemory(parsed), usableMemory(parsed)]).toEqual([total, usable]);
});

test('a list of devices that is none, and far too many of them', () => {
  expect(parseSystemStats({ system: {}, devices: 'cuda' })?.devices).toEqual([]);
  expect(parseSystemStats({ system: {}, devices: [null] })?.devices).toMatchObject([
    { vramTotal: 0, type: '' },
  ]);
  expect(
    parseSystemStats({ system: {}, devices: Array.from({ length: 1e5 }, () => gpu) })?.devices,
  ).toHaveLength(64);
  expect(parseSystemStats({ system: { ram_free: 5, ram_total: 3 } })).toMatchObject({ ramFree: 3 });
  for (const none of [undefined, null, [], 'x', {}, { system: [] }])
    expect(parseSystemStats(none)).toBeUndefined();
});

test('what people want to know of a machine is read as it tells it', () => {
  const system = {
    python_version: '3.12.3 (main, Apr  9 2024) [GCC 13.2.0]',
    pytorch_version: '2.5.1+cu124',
  };
  const told = stats({ ...gpu, name: 'cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync' }, system);
  expect([gpuName(told), freeMemory(told)]).toEqual(['NVIDIA GeForce RTX 4090', 10 * GB]);
  expect([told.pythonVersion, told.pytorchVersion]).toEqual(['3.12.3', '2.5.1+cu124']);
  expect(gpuName(stats({ ...gpu, name: 'mps', type: 'mps' }))).toBe('mps');
  const bare = stats({ type: 'cpu', name: 'cpu' });
  expect([gpuName(bare), bare.pythonVersion, freeMemory(bare)]).toEqual(['', '', 40 * GB]);
  expect(gpuName(stats({ ...gpu, name: 7 }))).toBe('');
});
