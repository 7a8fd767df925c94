import type { Journal } from './journal.ts';
import type { Receipt, Reading } from './receipt.ts';
import type { Place, Places } from './spot.ts';

/** What stands at a spot. */
export type Found =
  | { kind: 'absent' }
  | { kind: 'file'; sha256: string; mode: number }
  | { kind: 'folder' | 'link' | 'other' };

/** A folder's content, links not followed. */
export interface TreeNode {
  name: string;
  kind: 'file' | 'folder' | 'link' | 'other';
  /** Of a folder. */
  children: readonly TreeNode[];
}

export interface StateFacts {
  exists: boolean;
  /** By this installer; otherwise somebody else's folder, which stays. */
  made: boolean;
  names: readonly string[];
  receipt: Reading<Receipt>;
  /** Of a run that did not end: `doing` is to be undone, `done` only to be tidied up. */
  journal: { phase: 'none' | 'doing' | 'done'; reading: Reading<Journal> };
  /** Text of donor.json. */
  settings: string | undefined;
  settingsMode: number | undefined;
}

/** All that a plan is made from: one look at the tree, no more. */
export interface Facts {
  root: string;
  layout: 'git' | 'portable' | 'plain';
  version: string | undefined;
  commit: string | undefined;
  places: Places;
  /** Places that are reached through a link. */
  linked: readonly Place[];
  /** By `spotKey`: every spot of the payload and of the receipt, and the folders above them. */
  found: ReadonlyMap<string, Found>;
  /** What is in custom_nodes/comfy-bridge; undefined unless it is a folder. */
  pack: readonly TreeNode[] | undefined;
  /** Other folders of custom_nodes with this pack in them. */
  copies: readonly string[];
  /** custom_nodes/comfy-bridge.disabled is there. */
  disabled: boolean;
  /** Folders that would be written to, and cannot. */
  unwritable: readonly string[];
  /** Of the receipt's originals, those whose content is whole. */
  originals: ReadonlySet<string>;
  state: StateFacts;
}
