import { formatNumber } from './language.ts';

const gibibyte = 1024 ** 3;

/** Of machines, in the steps that they are sold in: `24 GiB`, `0.6 GiB`. */
export function formatMemory(bytes: number): string {
  const value = bytes / gibibyte;
  return `${formatNumber(value < 9.95 ? Math.round(value * 10) / 10 : Math.round(value))} GiB`;
}
