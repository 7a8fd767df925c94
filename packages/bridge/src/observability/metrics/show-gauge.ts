import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

export interface ShownGauge<T extends string> {
  name: string;
  help: string;
  labelNames?: readonly T[];
  /** Sets what holds now; called for each scrape, when everything of the last one is gone. */
  read(gauge: Gauge<T>): void | Promise<void>;
}

/** A figure that is looked up when somebody asks, and costs nothing until then. */
export function showGauge<const T extends string = never>(
  registers: Registry[],
  { name, help, labelNames = [], read }: ShownGauge<T>,
): Gauge<T> {
  return new Gauge<T>({
    name,
    help,
    labelNames: [...labelNames],
    registers,
    collect() {
      this.reset();
      return read(this);
    },
  });
}
