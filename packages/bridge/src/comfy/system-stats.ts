import { isRecord } from '../lib/is-record.ts';
import { toId, toRecord, toText } from './read-fields.ts';

export interface ComfyDevice {
  name: string;
  /** 'cuda', 'cpu', 'mps', 'xpu', …; DirectML calls itself 'privateuseone'. */
  type: string;
  /** bytes */
  vramTotal: number;
  /** With what ComfyUI holds and does not use at the moment. */
  vramFree: number;
  /** What ComfyUI itself has taken of it. */
  torchVramTotal: number;
  /** What it has taken and does not use at the moment. */
  torchVramFree: number;
}

/** What a machine is. Its command line and folders, which the answer holds too, are not kept. */
export interface SystemStats {
  /** '0.3.64'; '' when unknown. */
  version: string;
  pytorchVersion: string;
  /** '3.12.3'; '' when unknown. */
  pythonVersion: string;
  /** bytes; 0 when unknown */
  ramTotal: number;
  ramFree: number;
  /** The one that ComfyUI works on comes first. */
  devices: ComfyDevice[];
}

/** No machine has more; a number beyond it is none. A petabyte. */
const mostBytes = 1024 ** 5;
const mostDevices = 64;

/** On DirectML ComfyUI cannot tell, and says this much whatever the card. */
const directMlBytes = 1024 ** 3;

/** Reads `GET /system_stats`; undefined when it is not that. Numbers that cannot be are left out or cut. */
export function parseSystemStats(json: unknown): SystemStats | undefined {
  if (!isRecord(json) || !isRecord(json['system'])) return undefined;
  const { system } = json;
  const devices: unknown[] = Array.isArray(json['devices']) ? json['devices'] : [];
  const ramTotal = toBytes(system['ram_total']);
  return {
    version: toId(system['comfyui_version'])?.slice(0, 100) ?? '',
    pytorchVersion: toId(system['pytorch_version'])?.slice(0, 100) ?? '',
    // `3.12.3 (main, Apr  9 2024, 08:09:14) [GCC 13.2.0]`
    pythonVersion: toId(system['python_version'])?.split(' ', 1)[0]?.slice(0, 100) ?? '',
    ramTotal,
    ramFree: Math.min(ramTotal, toBytes(system['ram_free'])),
    devices: devices.slice(0, mostDevices).map(parseDevice),
  };
}

function parseDevice(value: unknown): ComfyDevice {
  const device = toRecord(value);
  const type = toText(device['type']);
  const told = toBytes(device['vram_total']);
  const vramTotal = type === 'privateuseone' && told === directMlBytes ? 0 : told;
  const torchVramTotal = Math.min(vramTotal, toBytes(device['torch_vram_total']));
  return {
    name: toText(device['name']),
    type,
    vramTotal,
    vramFree: Math.min(vramTotal, toBytes(device['vram_free'])),
    torchVramTotal,
    torchVramFree: Math.min(torchVramTotal, toBytes(device['torch_vram_free'])),
  };
}

function toBytes(value: unknown): number {
  return typeof value === 'number' && value >= 0 && value <= mostBytes ? Math.floor(value) : 0;
}

/** What the device that ComfyUI works on has in all, bytes; of the machine where it works on the CPU. 0 while unknown. */
export function totalMemory({ devices: [device], ramTotal }: SystemStats): number {
  return device === undefined || sharesRam(device) ? ramTotal : device.vramTotal;
}

/** What ComfyUI could use there if it unloaded its own models, bytes: free, or taken by itself. 0 while unknown. */
export function usableMemory({ devices: [device], ramTotal, ramFree }: SystemStats): number {
  // Of main memory it does not tell what is its own.
  if (device === undefined || sharesRam(device)) return Math.min(ramTotal, ramFree);
  const { vramTotal, vramFree, torchVramTotal, torchVramFree } = device;
  return Math.max(0, Math.min(vramTotal, vramFree - torchVramFree + torchVramTotal));
}

/** What nobody uses there, bytes. */
export function freeMemory({ devices: [device], ramFree }: SystemStats): number {
  return device === undefined || sharesRam(device) ? ramFree : device.vramFree;
}

/** What its device is called, without its number and how its memory is managed; '' for the CPU, and while unknown. */
export function gpuName({ devices: [device] }: SystemStats): string {
  if (device === undefined || device.type === 'cpu') return '';
  // `cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync`
  return (toId(device.name) ?? '')
    .replace(/ : \w+$/, '')
    .replace(/^\w+:\d+ +/, '')
    .slice(0, 100);
}

/** What ComfyUI itself uses there, bytes; 0 where it does not tell. */
export function usedMemory({ devices: [device] }: SystemStats): number {
  return device === undefined || sharesRam(device) ? 0 : device.torchVramTotal;
}

/** There all four numbers of a device are those of the machine's main memory. */
function sharesRam({ type }: ComfyDevice): boolean {
  return type === 'cpu' || type === 'mps';
}
