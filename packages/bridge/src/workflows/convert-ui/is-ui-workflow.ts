import { isRecord } from '../../lib/is-record.ts';

/** True for what the editor saves: a list of nodes and one of links, where the API format has nodes by their ids. */
export function isUiWorkflow(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && Array.isArray(value['nodes']) && Array.isArray(value['links']);
}
