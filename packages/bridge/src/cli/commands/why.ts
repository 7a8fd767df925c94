import { z } from 'zod';

import { apiPath } from '../call-bridge.ts';
import { exitCodes } from '../cli-error.ts';
import type { Command } from '../command-spec.ts';
import { formatMs } from '../format-values.ts';
import { renderFields, renderTable } from '../render-table.ts';

/** What the command line reads of a placement. */
export const placementSchema = z.object({
  workflow: z.string(),
  can_run: z.boolean(),
  choice: z.string().nullable(),
  needs: z.object({ node_classes: z.array(z.string()), models: z.array(z.string()) }),
  backends: z.array(
    z.object({
      backend: z.string(),
      verdict: z.string(),
      reasons: z.array(z.string()),
      expected: z
        .object({ starts_in_ms: z.number(), finishes_in_ms: z.number(), basis: z.string() })
        .nullable(),
    }),
  ),
});

/** `backends why <workflow>`: exit code 1 when no machine can run it. */
export const explainPlacement: Command = async ({ args, bridge, print }) => {
  const path = apiPath('workflows', args[0] ?? '', 'placement');
  const { raw, value } = await (await bridge()).read(placementSchema, path);
  print.result(raw, () => {
    const { workflow, choice, needs, backends } = value;
    const fields = renderFields({
      workflow,
      'goes to': choice ?? 'no machine at the moment',
      models: needs.models.join(', ') || 'none',
      nodes: needs.node_classes.join(', '),
    });
    const rows = backends.map(({ backend, verdict, expected, reasons }) => [
      backend,
      verdict,
      expected === null ? null : `in ${formatMs(expected.starts_in_ms)}`,
      expected === null ? null : `in ${formatMs(expected.finishes_in_ms)} (${expected.basis})`,
      reasons.join('; '),
    ]);
    return `${fields}\n${renderTable(['BACKEND', 'VERDICT', 'STARTS', 'DONE', 'WHY'], rows)}`;
  });
  return value.can_run ? exitCodes.ok : exitCodes.failed;
};
