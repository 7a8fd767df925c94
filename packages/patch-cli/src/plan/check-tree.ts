import { compareVersions } from './compare-versions.ts';
import type { Facts } from './facts.ts';
import { refusals } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import { packFolder } from './spot.ts';

/** The oldest ComfyUI whose packs, routes and launch are as the pack needs them. */
export const oldestComfyui = '0.3.19';

/** What speaks against any change; undefined when nothing does. */
export function checkState({ places, state }: Facts): Refusal | undefined {
  if (state.receipt.kind === 'damaged') return refusals.damaged(`${places.state}/receipt.json`);
  if (state.receipt.kind === 'newer') return refusals.newer(`${places.state}/receipt.json`);
  const left = state.names.filter((name) => name === 'originals');
  if (state.receipt.kind === 'none' && state.journal.phase === 'none' && left.length > 0)
    return refusals.stateNames(left.map((name) => `${places.state}/${name}`));
  return undefined;
}

/** What speaks against installing into this tree, besides what stands at our own spots. */
export function checkForInstall(facts: Facts, { force }: { force: boolean }): Refusal | undefined {
  const { version, copies, places } = facts;
  if (!force && version !== undefined && compareVersions(version, oldestComfyui) < 0)
    return refusals.tooOld(version);
  if (copies.length > 0) return refusals.otherCopy(copies.map((name) => `${places['custom-nodes']}/${name}`));
  return checkDisabled(facts, { force }) ?? checkForeignPack(facts, { force });
}

/** A disabled pack would come back beside a new one. */
export function checkDisabled(facts: Facts, { force }: { force: boolean }): Refusal | undefined {
  if (force || !facts.disabled || facts.pack !== undefined) return undefined;
  return refusals.disabled(`${facts.places['custom-nodes']}/${packFolder}.disabled`);
}

function checkForeignPack({ found, pack, places, state }: Facts, { force }: { force: boolean }) {
  const path = `${places['custom-nodes']}/${packFolder}`;
  const kind = found.get(`custom-nodes:${packFolder}`)?.kind ?? 'absent';
  if (kind === 'link') return refusals.foreignPack(path, 'a link, as developers make it');
  if (kind !== 'absent' && kind !== 'folder') return refusals.foreignPack(path, 'not a folder');
  if (state.receipt.kind !== 'none' || pack === undefined || pack.length === 0) return undefined;
  if (pack.some(({ name }) => name === '.git')) return refusals.foreignPack(path, 'a git clone');
  return force
    ? undefined
    : refusals.foreignPack(path, 'a folder with files in it (--force keeps them aside, and puts them back)');
}

/** Names in a state folder that is not ours, which stay when we go. */
export function namesToKeep({ state }: Facts): string[] {
  const transient = /^(lock|lock-.*|journal.*\.json|receipt.*\.json|originals|\..+\.[0-9a-f]{12}\.tmp)$/;
  return state.made ? [] : state.names.filter((name) => !transient.test(name));
}
