import { readMarks } from '../marks/stored-marks.ts';
import type { EditorNode } from './comfy-types.ts';
import type { Session } from './session.ts';

interface BadgeOptions {
  text: string;
  fgColor: string;
  bgColor: string;
}

const badged = new WeakSet<EditorNode>();

/**
 * Gives a node a badge that shows its marks, in the renderers that draw badges. It is asked for at each drawing, so that it
 * follows undo and loading too; without marks it has no text and is not drawn.
 */
export function addBadge({ texts }: Session, node: EditorNode): void {
  const Badge: unknown = Reflect.get(globalThis, 'LGraphBadge');
  if (!isBadgeClass(Badge) || !Array.isArray(node.badges) || badged.has(node)) return;
  badged.add(node);
  let last: { text: string; badge: unknown } | undefined;
  node.badges.push(() => {
    const text = badgeText(node, texts());
    if (last?.text !== text)
      last = { text, badge: new Badge({ text, fgColor: '#ffffff', bgColor: '#0b6b58' }) };
    return last.badge;
  });
}

function badgeText(node: EditorNode, texts: ReturnType<Session['texts']>): string {
  const { inputs, output } = readMarks(node);
  const parts = [inputs.length > 0 && texts.badge(inputs.length), output === true && texts.badgeOutput];
  return parts.filter((part) => part !== false).join(' · ');
}

function isBadgeClass(value: unknown): value is new (options: BadgeOptions) => unknown {
  return typeof value === 'function';
}
