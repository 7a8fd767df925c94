import { collectMarks } from '../marks/collect-marks.ts';
import { toFormFields, type FormField } from '../marks/form-fields.ts';
import type { Session } from './session.ts';

/** The fields of a caller's form for the open workflow. */
export function fieldsOf(session: Session): FormField[] {
  const graph = session.rootGraph();
  return graph === undefined ? [] : toFormFields(collectMarks(graph));
}
