import type { PublishedWorkflowAnswer, WorkflowVersionsAnswer } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';

import { stringifyLossless } from '../../lib/lossless-json.ts';
import type {
  FindWorkflowObstacles,
  JudgeWorkflow,
} from '../../scheduling/submit/find-workflow-obstacles.ts';
import type {
  ChangeOptions,
  Published,
  WorkflowPublisher,
} from '../../workflows/catalog/publish-workflow.ts';
import type { FindDefinition } from '../../workflows/inputs/input-spec.ts';
import { describeDetail } from '../answers/describe-workflow.ts';
import { isMatch } from '../requests/byte-range.ts';
import { accountOf } from '../requests/owner-of.ts';
import { readPublication } from '../requests/read-publication.ts';
import type { ReadPublicationDeps } from '../requests/read-publication.ts';

export interface PublishRoutesDeps extends ReadPublicationDeps {
  publisher: WorkflowPublisher;
  findObstacles: FindWorkflowObstacles;
  judgeWorkflow: JudgeWorkflow;
  findDefinition: FindDefinition;
  requireAuthor: RequestHandler;
  basePath: string;
}

const path = '/api/bridge/workflows/:alias';

/** What authors publish, and operators: a workflow with its alias, description and picture, and its earlier versions. */
export function createPublishRoutes(
  deps: PublishRoutesDeps,
  { maxJsonBytes }: { maxJsonBytes: number },
): Router {
  const { publisher, requireAuthor, basePath } = deps;
  const router = Router();

  const linkTo = (alias: string) => `${basePath}/api/bridge/workflows/${encodeURIComponent(alias)}`;

  async function answer(
    response: Response,
    { publication, version, isNew, workflow }: Published,
    problems: string[],
  ) {
    const [obstacles, backends] = await Promise.all([
      deps.findObstacles(workflow),
      deps.judgeWorkflow(workflow),
    ]);
    const { alias, fileName, description, thumbnail } = publication;
    const detail = describeDetail(workflow, deps.findDefinition, {
      basePath,
      hasThumbnail: thumbnail !== null,
      obstacles,
    });
    const self = linkTo(alias);
    const body: PublishedWorkflowAnswer = {
      ...{ alias, version, description, file: fileName },
      problems: [...problems, ...workflow.problems],
      can_run: detail.can_run,
      obstacles: detail.obstacles,
      backends,
      inputs: detail.inputs,
      outputs: detail.outputs,
      urls: { ...detail.urls, file: `${self}/file`, versions: `${self}/versions` },
    };
    response.setHeader('ETag', toEtag(version));
    if (isNew) response.setHeader('Location', self);
    response
      .status(isNew ? 201 : 200)
      .type('application/json')
      .send(stringifyLossless(body));
  }

  router.put(path, requireAuthor, async (request, response) => {
    const { previous, problems, ...wanted } = await readPublication(deps, request, {
      maxBytes: maxJsonBytes,
    });
    const published = await publisher.publish(aliasOf(request), wanted, toOptions(request, previous));
    await answer(response, published, problems);
  });

  router.delete(path, requireAuthor, async (request, response) => {
    await publisher.remove(aliasOf(request), toOptions(request));
    response.status(204).end();
  });

  router.get(`${path}/file`, requireAuthor, async (request, response) => {
    const { publication, version } = await publisher.read(aliasOf(request));
    response.setHeader('ETag', toEtag(version));
    response.setHeader('Cache-Control', 'no-cache');
    if (isMatch(request.get('If-None-Match'), toEtag(version))) response.status(304).end();
    else response.type('application/json').send(publication.workflow.replace(/^\uFEFF/, ''));
  });

  router.get(`${path}/versions`, requireAuthor, async (request, response) => {
    const { alias, current, versions } = await publisher.versions(aliasOf(request));
    const self = `${linkTo(alias)}/versions`;
    const body: WorkflowVersionsAnswer = {
      alias,
      current,
      versions: versions.map(({ version, at, by, source, publication }) => ({
        version,
        is_current: version === current,
        published_at: new Date(at).toISOString(),
        by,
        source,
        description: publication.description,
        bytes: Buffer.byteLength(publication.workflow),
        urls: { restore: `${self}/${version}/restore` },
      })),
    };
    response.json(body);
  });

  router.post(`${path}/versions/:version/restore`, requireAuthor, async (request, response) => {
    const version = String(request.params['version']);
    await answer(response, await publisher.restore(aliasOf(request), version, toOptions(request)), []);
  });

  return router;
}

function aliasOf({ params }: Request): string {
  return String(params['alias']);
}

function toEtag(version: string): string {
  return `"${version}"`;
}

/** `If-Match`, `If-None-Match: *` and `previous` all say what may be replaced; whoever says nothing replaces whatever is there. */
function toOptions(request: Request, previous?: string | null): ChangeOptions {
  const isWanted = request.get('If-Match');
  const isUnwanted = request.get('If-None-Match');
  return {
    by: accountOf(request),
    mayReplace(version) {
      const etag = version === undefined ? undefined : toEtag(version);
      if (previous !== undefined && (previous ?? undefined) !== version) return false;
      if (isWanted !== undefined && !isMatch(isWanted, etag)) return false;
      return !isMatch(isUnwanted, etag);
    },
  };
}
