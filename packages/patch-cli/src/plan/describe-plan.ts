import type { Plan } from './plan.ts';
import { spotPath } from './spot-path.ts';
import type { Places, Spot } from './spot.ts';

/** A spot for people. */
export function describeSpot(spot: Spot, places: Places): string {
  return spotPath(spot, places);
}

/** A plan for people, one line a step, in the order in which it is carried out. */
export function describePlan(
  { steps, dropFolders, contents, state, receipt }: Plan,
  places: Places,
): string[] {
  const lines = steps.map((step) => {
    const path = describeSpot(step.spot, places);
    switch (step.do) {
      case 'make-folder':
        return `make     ${path}`;
      case 'set-aside':
        return `remove   ${path}`;
      case 'write':
        if (!contents.has(step.sha256)) return `restore  ${path}`;
        return `${step.before.kind === 'absent' ? 'write  ' : 'replace'}  ${path}`;
    }
  });
  if (receipt !== undefined) lines.push(`write    ${places.state}/receipt.json`);
  const gone = new Set(
    steps.filter((step) => step.do === 'set-aside').map(({ spot }) => spotPath(spot, places)),
  );
  for (const spot of dropFolders) {
    const path = describeSpot(spot, places);
    if (![...gone].some((parent) => path === parent || path.startsWith(`${parent}/`)))
      lines.push(`remove   ${path} (if empty)`);
  }
  if (state.end === 'remove') lines.push(`remove   ${places.state} (what is ours in it)`);
  return lines;
}
