import { z } from 'zod';

import { apiPath } from '../call-bridge.ts';
import type { BridgeCaller } from '../call-bridge.ts';
import { CliError } from '../cli-error.ts';
import { backendListSchema } from '../commands/backends.ts';
import type { ShownBackend } from '../commands/backends.ts';
import { placementSchema } from '../commands/why.ts';
import { toPlainText } from '../display-width.ts';
import type { Finding, Report } from './finding.ts';

const workflowsSchema = z.object({ workflows: z.array(z.object({ alias: z.string() })) });

/** What a bridge says of its machines, and where each of its workflows can run. */
export async function askBridge(
  caller: BridgeCaller,
  { withBackends }: { withBackends: boolean },
  report: Report,
): Promise<void> {
  if (withBackends) await askForBackends(caller, report);
  try {
    const { value } = await caller.read(workflowsSchema, apiPath('workflows'));
    if (value.workflows.length === 0)
      report({
        ...{ about: 'workflow', name: 'workflows', level: 'warn', text: 'there is none' },
        fix: 'put workflow files into WORKFLOW_DIR, or publish one: comfy-bridge workflows publish',
      });
    for (const { alias } of value.workflows) await askForWorkflow(caller, alias, report);
  } catch (error) {
    report({ about: 'workflow', name: 'workflows', ...toSkipped(error) });
  }
}

async function askForBackends(caller: BridgeCaller, report: Report): Promise<void> {
  try {
    const { value } = await caller.read(backendListSchema, apiPath('backends'));
    for (const backend of value) report({ about: 'backend', ...judge(backend) });
    if (value.length === 0)
      report({
        ...{ about: 'backend', name: 'fleet', level: 'fail', text: 'the bridge has no ComfyUI' },
        fix: 'comfy-bridge backends add host:port',
      });
  } catch (error) {
    report({ about: 'backend', name: 'fleet', ...toSkipped(error) });
  }
}

function judge(backend: ShownBackend): Omit<Finding, 'about'> {
  const { name, status, reason, offer_problem: problem, trust, version } = backend;
  const says = (text: string) => toPlainText(`the bridge says: ${text}`);
  if (status === 'lost' || status === 'connecting')
    return {
      ...{ name, level: 'fail', text: says(`${status}${reason === null ? '' : `, ${reason}`}`) },
      fix: 'look whether that ComfyUI runs and can be reached from the bridge',
    };
  if (problem !== null)
    return { name, level: 'fail', text: says(problem), fix: 'look at the log of that ComfyUI' };
  if (trust !== 'closed')
    return {
      ...{ name, level: 'warn', text: says('it failed too often and is given a rest') },
      fix: 'look at the log of that ComfyUI',
    };
  if (status !== 'ready') return { name, level: 'warn', text: says(`${status} ${reason ?? ''}`.trimEnd()) };
  return { name, level: 'ok', text: says(`ready, ComfyUI ${version ?? 'of unknown version'}`) };
}

async function askForWorkflow(caller: BridgeCaller, alias: string, report: Report): Promise<void> {
  const about = { about: 'workflow', name: alias } as const;
  try {
    const { value } = await caller.read(placementSchema, apiPath('workflows', alias, 'placement'));
    const able = value.backends.filter(({ verdict }) => verdict === 'free' || verdict === 'busy');
    if (able.length > 0) {
      const names = able.map(({ backend }) => backend).join(', ');
      report({ ...about, level: 'ok', text: toPlainText(`runs on ${names}`) });
      return;
    }
    const reasons = value.backends.map(({ backend, reasons }) => `${backend} ${reasons.join(', ')}`);
    const text = toPlainText(
      `runs nowhere${value.can_run ? ' now' : ''}: ${reasons.join('; ') || 'no ComfyUI'}`,
    );
    const fix = value.can_run
      ? 'it waits until one of them is there again'
      : 'install what is missing on one of them; comfy-bridge backends why tells more';
    report({ ...about, level: value.can_run ? 'warn' : 'fail', text, fix });
  } catch (error) {
    report({ ...about, ...toSkipped(error) });
  }
}

function toSkipped(error: unknown): Pick<Finding, 'level' | 'text'> {
  if (!(error instanceof CliError)) throw error;
  return { level: 'skip', text: error.message.replaceAll('\n', ' ') };
}
