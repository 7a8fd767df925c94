import type { DonorPause, ForgetCall } from './donor.ts';
import type { Engine } from './engine.ts';
import type { ResolvedOptions } from './sim-options.ts';

/** A machine that is lent, from its owner's side. Every member throws on one that is not. */
export interface SimDonor {
  pause(pause?: DonorPause): void;
  resume(options?: { tell?: boolean }): void;
  readonly forgotten: readonly ForgetCall[];
  /** Requests that came without the token. */
  readonly strangers: number;
}

const orphanLookMs = 50;

/** Disposing ends the look for prompts that nobody waits for. */
export function createDonorHandle(
  { donor, name }: Pick<ResolvedOptions, 'donor' | 'name'>,
  engine: () => Engine,
): SimDonor & Disposable {
  const look = donor?.watchesOrphans
    ? setInterval(() => donor.endOrphans(engine()), orphanLookMs)
    : undefined;
  look?.unref();
  const there = () => {
    if (!donor) throw new Error(`${name} is not lent: start it with the option donor`);
    return donor;
  };
  return {
    pause: (pause) => there().pause(engine(), pause),
    resume: (options) => there().resume(engine(), options),
    get forgotten() {
      return there().forgotten;
    },
    get strangers() {
      return there().strangers;
    },
    [Symbol.dispose]: () => clearInterval(look),
  };
}
