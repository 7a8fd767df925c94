import { isRecord } from '../lib/is-record.ts';
import { toNumber, toRecord, toText } from './read-fields.ts';

export interface ComfyDevice {
  name: string;
  /** 'cuda', 'cpu', 'mps', … */
  type: string;
  /** bytes */
  vramTotal: number;
  vramFree: number;
}

/** What a machine is. Its command line and folders, which the answer holds too, are not kept. */
export interface SystemStats {
  /** '0.3.64'; '' when unknown. */
  version: string;
  pytorchVersion: string;
  /** bytes */
  ramTotal: number;
  ramFree: number;
  /** The one that ComfyUI works on comes first. */
  devices: ComfyDevice[];
}

/** Reads `GET /system_stats`; undefined when it is not that. */
export function parseSystemStats(json: unknown): SystemStats | undefined {
  if (!isRecord(json) || !isRecord(json['system'])) return undefined;
  const { system } = json;
  const devices: unknown[] = Array.isArray(json['devices']) ? json['devices'] : [];
  return {
    version: toText(system['comfyui_version']),
    pytorchVersion: toText(system['pytorch_version']),
    ramTotal: toNumber(system['ram_total']) ?? 0,
    ramFree: toNumber(system['ram_free']) ?? 0,
    devices: devices.map((value) => {
      const device = toRecord(value);
      return {
        name: toText(device['name']),
        type: toText(device['type']),
        vramTotal: toNumber(device['vram_total']) ?? 0,
        vramFree: toNumber(device['vram_free']) ?? 0,
      };
    }),
  };
}
