import { checkForInstall, checkState, namesToKeep } from './check-tree.ts';
import { compareVersions } from './compare-versions.ts';
import type { Facts } from './facts.ts';
import type { Step } from './journal.ts';
import { findMissingPart } from './payload.ts';
import type { Payload } from './payload.ts';
import type { Planned } from './plan.ts';
import { placeFile } from './place-file.ts';
import type { Placed, WantedFile } from './place-file.ts';
import { dropFile } from './drop-file.ts';
import { placesToRecord } from './recorded-places.ts';
import type { Receipt, ReceiptFile } from './receipt.ts';
import { refusals } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import { parentSpot, spotKey } from './spot.ts';
import type { Spot } from './spot.ts';
import { describeSpot } from './describe-plan.ts';

export interface InstallWishes {
  command: 'install' | 'upgrade';
  force: boolean;
  /** Install the sample workflows' pictures too. */
  examples: boolean;
  /** The new donor.json; undefined leaves it as it is. */
  settings: WantedFile | undefined;
  /** ISO-8601, UTC. */
  now: string;
}

/**
 * What installing, repairing or upgrading takes: the difference between what is wanted and what is there. Files of an earlier
 * version that are no longer wanted go; what was there before all versions is kept.
 */
export function planInstall(facts: Facts, payload: Payload, wishes: InstallWishes): Planned {
  const refusal = checkState(facts) ?? checkPayload(facts, payload, wishes) ?? checkForInstall(facts, wishes);
  if (refusal !== undefined) return { ok: false, refusal };
  const installed = facts.state.receipt.kind === 'ok' ? facts.state.receipt.value : undefined;
  const records = new Map(installed?.files.map((file) => [spotKey(file.spot), file]));
  const wanted = wantedFiles(facts, payload, wishes, records);

  const placed = wanted.files.map((file) => placeFile(file, facts, records.get(spotKey(file.spot)), wishes));
  const wantedKeys = new Set(wanted.files.map(({ spot }) => spotKey(spot)));
  const dropped = [...records.values()]
    .filter(({ spot, kind }) => kind !== 'settings' && !wantedKeys.has(spotKey(spot)))
    .map((file) => (wanted.kept.has(spotKey(file.spot)) ? keepAsIs(file) : dropFile(file, facts, wishes)));
  const all = [...placed, ...dropped];
  const folders = missingFolders(all, facts);
  const problem = checkPlaced(all, folders.blocked, facts);
  if (problem !== undefined) return { ok: false, refusal: problem };

  const settings = wishes.settings === undefined ? records.get('state:donor.json') : undefined;
  const receipt: Receipt = {
    schema: 1,
    version: payload.version,
    installedAt: wishes.now,
    comfyui: {
      ...(facts.version !== undefined && { version: facts.version }),
      ...(facts.commit !== undefined && { commit: facts.commit }),
    },
    places: placesToRecord(facts.root, facts.places),
    files: [...(settings === undefined ? [] : [settings]), ...all.flatMap(({ record }) => record ?? [])],
    folders: [...(installed?.folders ?? []), ...folders.missing],
    pastFiles: pastFiles(installed, dropped),
    stateHad: installed?.stateHad ?? namesToKeep(facts),
  };
  const steps: Step[] = [
    ...folders.missing.map((spot): Step => ({ do: 'make-folder', spot })),
    ...all.flatMap(({ steps }) => steps),
  ];
  return {
    ok: true,
    plan: {
      command: wishes.command,
      steps,
      dropFolders: [],
      contents: new Map(wanted.files.map(({ sha256, content }) => [sha256, content])),
      receipt,
      state: { end: 'keep' },
      notes: wanted.notes,
    },
  };
}

function checkPayload(facts: Facts, payload: Payload, { command, force }: InstallWishes) {
  const missing = findMissingPart(payload);
  if (missing !== undefined) return refusals.incompletePayload(missing);
  const { receipt } = facts.state;
  if (receipt.kind !== 'ok') return command === 'upgrade' ? refusals.notInstalled(facts.root) : undefined;
  return !force && compareVersions(receipt.value.version, payload.version) > 0
    ? refusals.downgrade(receipt.value.version, payload.version)
    : undefined;
}

function pastFiles(installed: Receipt | undefined, dropped: readonly Placed[]): string[] {
  const gone = dropped.filter(({ record, spot }) => record === undefined && spot.place === 'custom-nodes');
  return [...new Set([...(installed?.pastFiles ?? []), ...gone.map(({ spot }) => spot.path)])];
}

interface Wanted {
  files: WantedFile[];
  /** Installed examples that this payload has no newer content for. */
  kept: ReadonlySet<string>;
  notes: string[];
}

/** In the order in which they are put in place: ComfyUI loads the pack only once `__init__.py` is there. */
function wantedFiles(
  { found, places }: Facts,
  { files }: Payload,
  { examples, settings }: InstallWishes,
  records: ReadonlyMap<string, ReceiptFile>,
): Wanted {
  const notes: string[] = [];
  const kept = new Set(
    [...records.values()].filter(({ kind }) => kind === 'example').map(({ spot }) => spotKey(spot)),
  );
  const chosen = files.filter(({ kind, spot }) => {
    if (kind !== 'example') return true;
    if (!examples || kept.has(spotKey(spot))) return false;
    const isFree = found.get(spotKey(spot))?.kind === 'absent';
    if (!isFree) notes.push(`${describeSpot(spot, places)} is there already, and stays as it is.`);
    return isFree;
  });
  const rank = ({ kind, spot }: { kind: ReceiptFile['kind']; spot: Spot }) =>
    kind === 'settings'
      ? 0
      : spot.path.endsWith('/__init__.py') && spot.path.split('/').length === 2
        ? 2
        : kind === 'pack'
          ? 1
          : 3;
  const all: WantedFile[] = [...(settings === undefined ? [] : [settings]), ...chosen];
  return { files: all.sort((a, b) => rank(a) - rank(b)), kept, notes };
}

function keepAsIs(record: ReceiptFile): Placed {
  return { spot: record.spot, steps: [], record, problem: undefined };
}

function checkPlaced(all: readonly Placed[], blocked: readonly Spot[], facts: Facts): Refusal | undefined {
  const paths = (problem: Placed['problem']) =>
    all.filter((one) => one.problem === problem).map(({ spot }) => describeSpot(spot, facts.places));
  const inTheWay = [...blocked.map((spot) => describeSpot(spot, facts.places)), ...paths('in-the-way')];
  if (inTheWay.length > 0) return refusals.inTheWay(inTheWay);
  if (paths('edited').length > 0) return refusals.edited(paths('edited'));
  if (paths('lost-original').length > 0) return refusals.lostOriginals(paths('lost-original'));
  const writes = all.some(({ steps }) => steps.length > 0);
  return writes && facts.unwritable.length > 0 ? refusals.unwritable(facts.unwritable) : undefined;
}

/** Folders to be made first, outermost first; and what stands in place of a folder. */
export function missingFolders(
  all: readonly Placed[],
  { found }: Facts,
): { missing: Spot[]; blocked: Spot[] } {
  const missing = new Map<string, Spot>();
  const blocked = new Map<string, Spot>();
  for (const { spot, steps } of all) {
    if (spot.place === 'state' || spot.place === 'comfyui') continue;
    for (let folder = parentSpot(spot); folder !== undefined; folder = parentSpot(folder)) {
      const kind = found.get(spotKey(folder))?.kind ?? 'absent';
      if (kind === 'absent' && steps.some((step) => step.do === 'write'))
        missing.set(spotKey(folder), folder);
      else if (kind !== 'absent' && kind !== 'folder') blocked.set(spotKey(folder), folder);
    }
  }
  const outermostFirst = [...missing.values()].sort((a, b) => depth(a) - depth(b));
  return { missing: outermostFirst, blocked: [...blocked.values()] };
}

function depth({ path }: Spot): number {
  return path === '' ? 0 : path.split('/').length;
}
