/** What a node is to the editor when it makes a prompt. */
export type NodeKind =
  /** Of a class that machines have: sent to them. */
  | 'class'
  | 'subgraph'
  /** Passes its input on. */
  | 'reroute'
  /** Gives its value to the widgets that it is linked to. */
  | 'primitive'
  /** Two halves of a link without a line, joined by a name. */
  | 'setter'
  | 'getter'
  /** Changes nothing. */
  | 'note'
  /** The group nodes of old editors. */
  | 'group'
  /** Known, and of a kind that cannot be converted. */
  | 'unsupported';

const kinds: ReadonlyMap<string, NodeKind> = new Map<string, NodeKind>([
  ['Reroute', 'reroute'],
  ['PrimitiveNode', 'primitive'],
  ['Note', 'note'],
  ['MarkdownNote', 'note'],
  // KJNodes
  ['SetNode', 'setter'],
  ['GetNode', 'getter'],
  // rgthree: they show, or switch other nodes when they are clicked; what they did is in the file already.
  ['Label (rgthree)', 'note'],
  ['Bookmark (rgthree)', 'note'],
  ['Fast Muter (rgthree)', 'note'],
  ['Fast Bypasser (rgthree)', 'note'],
  ['Fast Groups Muter (rgthree)', 'note'],
  ['Fast Groups Bypasser (rgthree)', 'note'],
  // Passes links on by rules of its own.
  ['Reroute (rgthree)', 'unsupported'],
  ['Node Collector (rgthree)', 'unsupported'],
  ['Random Unmuter (rgthree)', 'unsupported'],
  ['Mute / Bypass Relay (rgthree)', 'unsupported'],
  ['Mute / Bypass Repeater (rgthree)', 'unsupported'],
  ['Fast Actions Button (rgthree)', 'unsupported'],
  // VideoHelperSuite
  ['VHS_SelectLatest', 'unsupported'],
  ['VHS_BatchManager', 'unsupported'],
]);

export function kindOf(type: string): NodeKind {
  return type.startsWith('workflow>') || type.startsWith('workflow/')
    ? 'group'
    : (kinds.get(type) ?? 'class');
}

/** Only the editor knows them: no machine runs them. */
export function isVirtual(kind: NodeKind): boolean {
  return kind !== 'class' && kind !== 'subgraph';
}

/** Why a node of that kind cannot be converted; undefined where it can. */
export function refusalOf(kind: NodeKind): string | undefined {
  if (kind === 'group')
    return 'is a group node of old editors: convert it to a subgraph or ungroup it, and save again';
  if (kind === 'unsupported')
    return 'does its work in the editor when it queues: take it away, or export the workflow there with Export (API)';
  return undefined;
}
