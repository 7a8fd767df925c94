import { createHash } from 'node:crypto';

import { isLink } from '@comfy-bridge/protocol';
import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { Fleet } from '../../backends/fleet.ts';
import { BridgeError } from '../../errors.ts';
import { isSavedName } from '../../files/saved-name.ts';
import type { Job, StagedInput } from '../../jobs/job.ts';
import { findAssetReferences } from '../../workflows/graph/asset-references.ts';
import type { AssetUse } from '../../workflows/graph/asset-references.ts';
import { isUiWorkflow } from '../../workflows/convert-ui/is-ui-workflow.ts';
import { parseGraph } from '../../workflows/graph/parse-graph.ts';
import type { InvalidGraph } from '../../workflows/graph/parse-graph.ts';
import { validateGraph } from '../../workflows/graph/validate-graph.ts';
import type { ExtraData, JobCredentials } from './job-credentials.ts';
import type { AcceptOptions, JobIntake } from './job-intake.ts';

export interface SubmitGraphDeps {
  intake: JobIntake;
  fleet: Fleet;
  credentials: JobCredentials;
  /** Where the file of an asset lies, if it is the account's own and still there; it is kept for a while from then on. */
  resolveAsset(assetId: string, account: string): Promise<{ savedName: string } | undefined>;
  /** Marks an upload as used now; false when there is no such file (any more), or not for this account. */
  touchUpload(key: `uploads/${string}`, account: string): Promise<boolean>;
}

export interface GraphRequest {
  owner: string;
  account: string;
  /** 0 is normal, more is sooner. */
  priority: number;
  previews: boolean;
  /** In API format, as it came. */
  graph: unknown;
  extraData: ExtraData | undefined;
}

/** Runs a graph of the caller's own: checks it as ComfyUI will, takes its assets, records the job, announces it. */
export type SubmitGraph = (request: GraphRequest, options?: AcceptOptions) => Promise<Job>;

export function createSubmitGraph(deps: SubmitGraphDeps): SubmitGraph {
  const { intake, fleet, credentials } = deps;

  async function stage(prompt: ApiPrompt, account: string): Promise<StagedInput[]> {
    const found = findAssetReferences(prompt);
    if (!found.ok) throw new BridgeError('missing_asset', found.message);
    const staged: StagedInput[] = [];
    for (const use of found.uses) {
      const { nodeId, inputName, assetId } = use;
      const file = await deps.resolveAsset(assetId, account);
      if (file === undefined) throw unknownAsset(use);
      const { savedName } = file;
      staged.push({ nodeId, inputName, source: { kind: 'upload', savedName, assetId } });
    }
    return [...staged, ...(await findUploads(prompt, account))];
  }

  /** Names that `POST /uploads` answered. */
  async function findUploads(prompt: ApiPrompt, account: string): Promise<StagedInput[]> {
    const staged: StagedInput[] = [];
    for (const [nodeId, { class_type, inputs }] of Object.entries(prompt)) {
      const definition = fleet.findDefinition(class_type);
      for (const [inputName, value] of Object.entries(inputs)) {
        if (typeof value !== 'string' || !isSavedName(value)) continue;
        if (definition?.inputs.get(inputName)?.upload === undefined) continue;
        if (await deps.touchUpload(`uploads/${value}`, account))
          staged.push({ nodeId, inputName, source: { kind: 'upload', savedName: value } });
      }
    }
    return staged;
  }

  /** The nodes whose results are delivered: every output, previews included. */
  function check(prompt: ApiPrompt, staged: readonly StagedInput[]): string[] {
    const checked = validateGraph(prompt, {
      findDefinition: fleet.findDefinition,
      isStaged: (nodeId, inputName) =>
        staged.some((one) => one.nodeId === nodeId && one.inputName === inputName),
    });
    if (!checked.ok) throw toRefusal(checked);
    return checked.outputNodes;
  }

  return async ({ graph, extraData, ...request }, options = {}) => {
    intake.checkOpen();
    if (isUiWorkflow(graph)) {
      throw new BridgeError(
        'workflow_format_ui',
        "this is the editor's own format: export the workflow with Export (API), or let POST /api/bridge/convert convert it",
      );
    }
    if (!fleet.backends.some(({ definitions }) => definitions !== undefined)) {
      throw new BridgeError('no_backend', 'no ComfyUI was reached yet, so nothing can be checked: try again');
    }
    const parsed = parseGraph(graph);
    if (!parsed.ok) throw toRefusal(parsed);
    const { prompt } = parsed;
    const stagedInputs = await stage(prompt, request.account);
    const outputNodes = check(prompt, stagedInputs);
    for (const { nodeId, inputName, source } of stagedInputs) {
      const node = prompt[nodeId];
      if (node !== undefined && source.kind === 'upload') node.inputs[inputName] = source.savedName;
    }
    const hasCredentials = extraData !== undefined;
    const workflow = nameGraph(prompt);
    const accepted = {
      ...request,
      ...{ clientId: null, leaseMs: null, hasCredentials, workflow, prompt, stagedInputs, outputNodes },
    };
    const [job] = await intake.accept([accepted], {
      async prepare(made, together) {
        if (hasCredentials) credentials.keep(made.id, extraData);
        await options.prepare?.(made, together);
      },
    });
    if (job === undefined) throw new Error('an accepted request is a job');
    return job;
  };
}

function unknownAsset({ nodeId, inputName, assetId }: AssetUse): BridgeError {
  const at = `${nodeId.slice(0, 60)}/${inputName.slice(0, 60)}`;
  return new BridgeError(
    'missing_asset',
    `there is no asset ${assetId} (any more) for ${at}: upload it again`,
  );
}

function toRefusal({ message, nodeErrors }: InvalidGraph): BridgeError {
  return new BridgeError('invalid_workflow', message, { details: { node_errors: nodeErrors } });
}

/** Runs of graphs that are built alike are learned from together, whatever their values. */
function nameGraph(prompt: ApiPrompt): string {
  const shape = Object.entries(prompt).map(([nodeId, { class_type, inputs }]) => [
    nodeId,
    class_type,
    Object.entries(inputs).filter(([, value]) => isLink(value)),
  ]);
  return `graph:${createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 12)}`;
}
