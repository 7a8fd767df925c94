import type { Backend } from '../../backends/fleet.ts';
import { encodePng, readPixels } from '../../files/picture-pixels.ts';
import type { Random } from './canary-steps.ts';
import { judgeCanary } from './judge-canary.ts';
import { makeCanary } from './make-canary.ts';
import { toStagedFile } from './run-trial.ts';
import type { Trials } from './trials.ts';

export type CanaryOutcome =
  | { kind: 'right'; difference: number }
  | { kind: 'wrong'; detail: string; difference: number | null }
  | { kind: 'unanswered'; reason: string }
  | { kind: 'given-up' };

/** A canary has no model to load: on a machine with nothing else to do it takes less than a second. */
const deadlineMs = 30_000;
const maxBytes = 4 * 1024 * 1024;
/** Of what comes back; the largest that is right has 384 × 384. */
const limits = { maxPixels: 4_000_000, maxDimension: 4_000 };

/** Has a backend do something whose result the bridge knows. */
export async function tryCanary(
  { trials, random }: { trials: Trials; random: Random },
  backend: Backend,
): Promise<CanaryOutcome> {
  const canary = backend.definitions === undefined ? undefined : makeCanary(backend.definitions, random);
  if (canary === undefined)
    return { kind: 'unanswered', reason: 'it does not offer the nodes of any canary' };
  const { prompt, loadNode, saveNode, input, expected, text } = canary;
  const picture = await encodePng(input);
  const source = { kind: 'upload', savedName: 'canary.png' } as const;
  const end = await trials.run(
    {
      backend,
      job: {
        prompt,
        outputNodes: [saveNode],
        stagedInputs: [{ nodeId: loadNode, inputName: 'image', source }],
      },
      models: new Set(),
      openSource: async () => toStagedFile('image/png', picture),
      readPicture: (content) => readPixels(content, limits),
    },
    { deadlineMs, maxBytes, maxPictures: 2 },
  );
  if (end.kind !== 'made') return end;
  const verdict = judgeCanary(expected, end.pictures);
  if (verdict.isRight) return { kind: 'right', difference: verdict.difference };
  return { kind: 'wrong', detail: `${verdict.detail} (${text})`, difference: verdict.difference };
}
