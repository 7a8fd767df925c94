/** The folders that the CLI ever touches. `state` is `.comfy-bridge` beside main.py. */
export const placeNames = ['comfyui', 'custom-nodes', 'input', 'state'] as const;
export type Place = (typeof placeNames)[number];

/** Where each place is on this machine: absolute, links followed. */
export type Places = Readonly<Record<Place, string>>;

/** A file or folder of ours: a place and a path in it, with `/`; an empty path is the place itself. */
export interface Spot {
  place: Place;
  path: string;
}

export const packFolder = 'comfy-bridge';
export const stateFolder = '.comfy-bridge';
export const launcherFile = 'main_adapted.py';
export const settingsFile = 'donor.json';

/** One text for a spot, to look it up by. */
export function spotKey({ place, path }: Spot): string {
  return `${place}:${path}`;
}

/** The spot of the folder around; undefined for a place itself. */
export function parentSpot({ place, path }: Spot): Spot | undefined {
  if (path === '') return undefined;
  const cut = path.lastIndexOf('/');
  return { place, path: cut === -1 ? '' : path.slice(0, cut) };
}

/**
 * Whether a spot is one that the CLI could have written down: receipts and journals lie in a folder that others can write to, and
 * must not be able to name anything else to remove.
 */
export function isOwnSpot({ place, path }: Spot): boolean {
  const segments = path.split('/');
  if (path !== '' && segments.some((segment) => !isPlainSegment(segment))) return false;
  switch (place) {
    case 'comfyui':
      return path === launcherFile;
    case 'state':
      return path === settingsFile;
    case 'input':
      return path === '' || (segments.length === 1 && /\.(png|jpe?g|webp)$/i.test(path));
    case 'custom-nodes':
      return path === '' || segments[0] === packFolder;
  }
}

function isPlainSegment(segment: string): boolean {
  return !['', '.', '..'].includes(segment) && !/[\\\0:]/.test(segment);
}
