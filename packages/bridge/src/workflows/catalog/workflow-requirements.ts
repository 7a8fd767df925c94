import { z } from 'zod';

import type { Events } from '../../events.ts';
import type { Records } from '../../lib/records.ts';
import { tagsSchema } from '../../lib/tags.ts';
import type { Logger } from '../../logging.ts';

/** What operators require of the machines that run a workflow, by alias; kept over restarts. */
export interface WorkflowRequirements {
  /** A machine runs the workflow only if it has all of these. Empty when nothing is required. */
  requiredTags(alias: string): readonly string[];
  /** Rejects, and changes nothing, when it cannot be kept. */
  requireTags(alias: string, tags: readonly string[]): Promise<void>;
}

const recordSchema = z.object({ tags: tagsSchema });

const none: readonly string[] = [];

/** Reads what an earlier process kept. A record that cannot be read is told in the log and requires nothing. */
export async function loadWorkflowRequirements({
  records,
  events,
  log,
}: {
  records: Records;
  events: Events;
  log: Logger;
}): Promise<WorkflowRequirements> {
  const tagsOf = new Map<string, readonly string[]>();
  for (const [alias, text] of await records.read()) {
    try {
      tagsOf.set(alias, recordSchema.parse(JSON.parse(text)).tags);
    } catch (error) {
      log.error(
        { workflow: alias, err: error },
        'the requirements of a workflow are damaged and passed over',
      );
    }
  }
  return {
    requiredTags: (alias) => tagsOf.get(alias) ?? none,
    async requireTags(alias, tags) {
      if (tags.length === 0) {
        await records.remove(alias);
        tagsOf.delete(alias);
      } else {
        await records.write(alias, JSON.stringify({ tags }));
        tagsOf.set(alias, tags);
      }
      events.emit('workflow:requirements', { workflow: alias, tags });
    },
  };
}
