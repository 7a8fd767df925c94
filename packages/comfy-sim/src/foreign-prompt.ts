import type { ApiPrompt } from './wire.ts';

/** A prompt of the machine's owner, which no test drives and which runs until told to end. */
export interface ForeignPrompt {
  promptId: string;
  /** Ends it, whether it runs or waits. */
  finish(): Promise<void>;
}

/** What it runs. */
export const FOREIGN: ApiPrompt = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
  '2': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
};
