import type { FieldError } from './form/use-run-form.ts';
import { runWords as t } from './run-words.ts';

/** What stands beside a field. What the bridge says is said as it is. */
export function problemText(problem: FieldError): string {
  return problem.code === 'refused' ? problem.message : t(problem.code, valuesOf(problem));
}

function valuesOf(problem: Exclude<FieldError, { code: 'refused' }>): Record<string, string> {
  if (problem.code === 'too-small' || problem.code === 'too-large') return { limit: problem.limit };
  if (problem.code === 'between-steps') return { below: problem.below, above: problem.above };
  return {};
}
