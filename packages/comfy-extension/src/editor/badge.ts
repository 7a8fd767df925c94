import { marksProperty, readMarks } from '../marks/stored-marks.ts';
import type { ComfyApp, EditorNode } from './comfy-types.ts';
import type { Session } from './session.ts';

interface BadgeOptions {
  text: string;
  fgColor: string;
  bgColor: string;
}

const badged = new WeakSet<EditorNode>();

/**
 * Gives a node a badge that shows its marks, in the renderers that draw badges (not the Vue renderer of 1.27, which shows none at
 * all). It is asked for at each drawing, so that it follows undo and loading too; without marks it has no text and is not
 * drawn. `follow` reads something that the Vue renderer notices when marks change: 1.45 asks for badges but once otherwise.
 */
export function addBadge(
  { app, texts }: Session,
  node: EditorNode,
  follow: () => void = () => undefined,
): void {
  const Badge: unknown = Reflect.get(globalThis, 'LGraphBadge');
  if (!isBadgeClass(Badge) || !Array.isArray(node.badges) || badged.has(node)) return;
  badged.add(node);
  const live = (): EditorNode => liveNode(app, node);
  let last: { stored: unknown; text: string; badge: unknown } | undefined;
  node.badges.push(() => {
    follow();
    const stored = live().properties?.[marksProperty];
    // Marks are never changed within their object, and a canvas of many nodes asks often.
    if (last === undefined || last.stored !== stored) {
      const text = badgeText(live(), texts());
      const isSame = last?.text === text;
      const badge = isSame ? last?.badge : new Badge({ text, fgColor: '#ffffff', bgColor: '#0b6b58' });
      last = { stored, text, badge };
    }
    return last.badge;
  });
}

/** Undo makes all nodes anew, and the Vue renderer goes on asking the old ones. */
function liveNode({ canvas }: ComfyApp, node: EditorNode): EditorNode {
  const { graph } = canvas;
  const isOpen = node.graph === undefined || node.graph === null || node.graph.id === graph?.id;
  const live = isOpen ? graph?.getNodeById?.(node.id) : undefined;
  return live?.type === node.type ? (live ?? node) : node;
}

function badgeText(node: EditorNode, texts: ReturnType<Session['texts']>): string {
  const { inputs, output } = readMarks(node);
  const parts = [inputs.length > 0 && texts.badge(inputs.length), output === true && texts.badgeOutput];
  return parts.filter((part) => part !== false).join(' · ');
}

function isBadgeClass(value: unknown): value is new (options: BadgeOptions) => unknown {
  return typeof value === 'function';
}
