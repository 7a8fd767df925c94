import { checkDisabled, checkState } from './check-tree.ts';
import { describeSpot } from './describe-plan.ts';
import { dropFile } from './drop-file.ts';
import type { Facts } from './facts.ts';
import type { Step } from './journal.ts';
import { packLeavers } from './pack-leavers.ts';
import type { Plan, Planned } from './plan.ts';
import { missingFolders } from './plan-install.ts';
import type { Placed } from './place-file.ts';
import { refusals } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import { packFolder } from './spot.ts';
import { isOwnStateName } from './state-files.ts';

/** What taking everything back takes. */
export function planUninstall(facts: Facts, { force }: { force: boolean }): Planned {
  const { receipt } = facts.state;
  const early = checkState(facts) ?? (receipt.kind === 'ok' ? checkDisabled(facts, { force }) : undefined);
  if (early !== undefined) return { ok: false, refusal: early };
  if (receipt.kind !== 'ok') return { ok: false, refusal: refusals.notInstalled(facts.root) };
  const { files, folders, stateHad } = receipt.value;
  const dropped = files
    // With a state folder that is ours altogether its settings go too, and need no step.
    .filter(({ kind, original }) => kind !== 'settings' || !facts.state.made || original !== undefined)
    .map((file) => dropFile(file, facts, { force }));
  const { missing, blocked } = missingFolders(dropped, facts);
  const refusal = checkDropped(
    dropped,
    blocked.map((spot) => describeSpot(spot, facts.places)),
    facts,
  );
  if (refusal !== undefined) return { ok: false, refusal };

  const { asides, foreign } = packLeavers(facts.pack ?? [], receipt.value, { force });
  return {
    ok: true,
    plan: {
      command: 'uninstall',
      steps: [
        ...missing.map((spot): Step => ({ do: 'make-folder', spot })),
        ...dropped.flatMap(({ steps }) => steps).filter((step) => !isCovered(step)),
        ...asides.map((path): Step => ({ do: 'set-aside', spot: { place: 'custom-nodes', path } })),
      ],
      dropFolders: [...folders].reverse(),
      contents: new Map(),
      receipt: undefined,
      state: { end: 'remove', had: stateHad, force },
      notes: [...notesOn(foreign, facts), ...notesOnState(facts, { force })],
    },
  };
}

/** The pack's own files are set aside by `packLeavers`, as whole folders where possible. */
function isCovered(step: Step): boolean {
  return step.do === 'set-aside' && step.spot.place === 'custom-nodes';
}

function checkDropped(
  dropped: readonly Placed[],
  blocked: readonly string[],
  facts: Facts,
): Refusal | undefined {
  const paths = (problem: Placed['problem']) =>
    dropped.filter((one) => one.problem === problem).map(({ spot }) => describeSpot(spot, facts.places));
  const inTheWay = [...blocked, ...paths('in-the-way')];
  if (inTheWay.length > 0) return refusals.inTheWay(inTheWay);
  if (paths('edited').length > 0) return refusals.edited(paths('edited'));
  if (paths('lost-original').length > 0) return refusals.lostOriginals(paths('lost-original'));
  return facts.unwritable.length > 0 ? refusals.unwritable(facts.unwritable) : undefined;
}

function notesOn(foreign: readonly string[], { places }: Facts): Plan['notes'] {
  if (foreign.length === 0) return [];
  const shown = foreign.slice(0, 20).map((path) => describeSpot({ place: 'custom-nodes', path }, places));
  const more = foreign.length > shown.length ? ` and ${foreign.length - shown.length} more` : '';
  return [
    `Not ours, so kept with the folder: ${shown.join(', ')}${more}. ComfyUI will call ${packFolder} a pack that cannot be loaded, until the folder is removed.`,
  ];
}

function notesOnState({ state, places }: Facts, { force }: { force: boolean }): Plan['notes'] {
  const foreign = state.made && !force ? state.names.filter((name) => !isOwnStateName(name)) : [];
  return foreign.length === 0
    ? []
    : [`Not ours, so kept in ${places.state}: ${foreign.slice(0, 20).join(', ')}.`];
}
