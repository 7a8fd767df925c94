import type { CliOutput } from '../cli-host.ts';
import { cutToWidth, toPlainText } from '../display-width.ts';
import { formatMs } from '../format-values.ts';

/** How far something is. */
export interface Standing {
  /** `running`, `3 of 12 done`, … */
  state: string;
  /** 0 to 1; undefined while there is none. */
  value?: number | undefined;
  /** What is being done, such as `KSampler 21/50`. */
  doing?: string | undefined;
  /** Over in a moment: no line of its own where lines stay. */
  isBrief?: boolean | undefined;
}

/** Progress for people: one line that changes on a terminal, a line now and then elsewhere. */
export interface ProgressLine extends Disposable {
  show(standing: Standing): void;
  /** A line that stays. */
  note(text: string): void;
}

/** Elsewhere than on a terminal a line comes with each new state, at every quarter, and after so long. */
const quietMs = 15_000;
const barWidth = 24;

export function createProgressLine(
  stderr: CliOutput,
  { label, now = Date.now, term = '' }: { label: string; now?: () => number; term?: string | undefined },
): ProgressLine {
  const isLive = stderr.isTTY === true && term !== 'dumb';
  const began = now();
  const told = { state: '', quarter: -1, at: -Infinity };
  let isDrawn = false;

  function clear(): void {
    if (isDrawn) stderr.write('\r\u001B[2K');
    isDrawn = false;
  }

  return {
    show(standing) {
      const { state, value, doing } = standing;
      if (isLive) {
        const width = Math.max(20, (stderr.columns || 80) - 1);
        const [name, what, which] = [label, state, doing ?? ''].map(toPlainText);
        const text = [name, toBar(value), what, which, formatMs(now() - began)]
          .filter((part) => part !== '')
          .join('  ');
        stderr.write(`\r\u001B[2K${cutToWidth(text, width)}`);
        isDrawn = true;
        return;
      }
      if (standing.isBrief === true) return;
      const quarter = Math.floor((value ?? 0) * 4);
      const isDue = now() - told.at >= quietMs;
      if (state === told.state && quarter <= told.quarter && !isDue) return;
      Object.assign(told, { state, quarter, at: now() });
      const percent = value === undefined ? '' : ` ${Math.floor(value * 100)} %`;
      stderr.write(`${toPlainText(`${label}: ${state}${percent}`)}\n`);
    },
    note(text) {
      clear();
      stderr.write(`${toPlainText(text)}\n`);
    },
    [Symbol.dispose]: clear,
  };
}

function toBar(value: number | undefined): string {
  if (value === undefined) return '';
  const filled = Math.round(Math.min(1, Math.max(0, value)) * barWidth);
  const percent = String(Math.floor(value * 100)).padStart(3);
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${percent} %`;
}
