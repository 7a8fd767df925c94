import type { InputProblem } from './bind-inputs.ts';
import { quote, shorten } from '../quote.ts';

const maxTold = 20;

/** All problems of a request as one line for its caller: `"15/seed" must be a whole number …; "6/txt" is not an input …`. */
export function messageForProblems(problems: readonly InputProblem[]): string {
  const told = problems.slice(0, maxTold).map(({ key, message }) => `${quote(key)} ${message}`);
  if (problems.length > maxTold) told.push(`and ${problems.length - maxTold} more`);
  return told.join('; ');
}

/** What to answer when a caller names a workflow that is not published. */
export function unknownWorkflowMessage(alias: string, known: readonly string[]): string {
  const said = `there is no workflow ${quote(alias)}`;
  return known.length === 0
    ? `${said}: none is published yet`
    : `${said}. Known workflows: ${shorten(known)}`;
}
