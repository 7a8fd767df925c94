import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { accessModes } from './_access.ts';
import { png, pngHash } from './_assets.ts';
import { findOperation, parseDocument } from './_openapi-document.ts';
import type { Document } from './_openapi-document.ts';
import { createFuzzedRequests, pooled } from './_openapi-requests.ts';
import type { FuzzedRequest } from './_openapi-requests.ts';
import { createSender } from './_openapi-send.ts';
import { createAnswerChecker, plainDocument } from './_openapi.ts';
import type { AnswerChecker, ReadAnswer } from './_openapi.ts';
import { parseBody } from './_requests.ts';
import { junkText } from './_openapi-values.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import { copyWorkflows } from './_workflow-folder.ts';

const cases = Number(process.env['FUZZ_CASES'] ?? 1_000);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const atOnce = 12;
const someCases = 50;

const graph: unknown = JSON.parse(await readFile(join(workflowsDir, 'text-to-image.json'), 'utf8'));
const withAsset = pooled('asset').map((id) => ({
  '1': { class_type: 'LoadImage', inputs: { image: { __type: 'core/ASSET', info: { id } } } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
}));
const junkGraph = fc.dictionary(
  fc.string({ maxLength: 4 }),
  fc.record({ class_type: fc.constantFrom('SaveImage', 'LoadImage', 'Nope', ''), inputs: fc.jsonValue() }),
  { maxKeys: 4 },
);
/** No machine but this one is ever called. */
const address = fc.constantFrom(
  'http://127.0.0.1:9',
  'http://[::1',
  'ftp://127.0.0.1/x',
  '127.0.0.1:9',
  'x y',
  '',
);
const seeds = fc.oneof(
  fc.nat(),
  fc.array(fc.nat(), { maxLength: 3 }),
  fc.constantFrom<unknown>('7', -1, null, {}, { each: [1] }),
);
const alias = fc.constantFrom(
  'text-to-image',
  'image-to-image',
  'upscale',
  'Upscale',
  'upscale.json',
  'nope',
);

const publishedAlias = fc.constantFrom(
  'fresh',
  'fresh',
  'Fresh',
  '../fresh',
  '새것',
  'a/b',
  '.',
  '__proto__',
  'CON',
);

/** Mostly nothing, so that the rest of a body is looked at. */
const rarely = (value: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const image = fc.oneof(
  pooled('saved'),
  pooled('asset'),
  pooled('asset').map((asset) => ({ asset })),
  fc.constantFrom('sample_a.png', null, 'nope.png'),
);
const metadata = [
  'filename YS5wbmc=',
  'filename YS5wbmc=',
  'filename YS5wbmc=,filetype aW1hZ2UvcG5n',
  'x',
  'filename',
  '',
];
const names = fc.constantFrom('spare', 'spare', 'spare', 'nobody', 'other');

const createRequests = (document: Document) =>
  createFuzzedRequests(document, {
    png,
    named: {
      index: fc.constantFrom('0', '0', '1', '-1', '1e3'),
      hash: pooled('hash'),
      expected_hash: fc.oneof(pooled('hash'), fc.constant(pngHash)),
      content_type: fc.constantFrom('image/png', 'image/png', 'image/png', '', 'text/plain', 'x'),
      file_path: fc.constantFrom('a.png', 'a.png', 'b/c.png', 'x.exe', '../a.png'),
      alias,
      clientId: fc.constantFrom('one', 'two', 'three', 'four', 'five', 'a b'),
      url: address,
      webhook: rarely(fc.record({ url: address })),
      name: names,
      filename_prefix: fc.constant('x'),
      'workflow:string': alias,
      'workflow:object': fc.oneof(
        fc.constant(graph),
        withAsset,
        junkGraph,
        fc.constant({ nodes: [], links: [] }),
      ),
      'inputs:object': fc.record({
        seed: rarely(seeds),
        picture: rarely(image),
        nope: rarely(fc.constant(1)),
      }),
      inputs: fc.constantFrom('{"3/seed": 1}', '{}', '[', '{"nope": 1}'),
      Prefer: fc.constantFrom('wait=1', 'wait=0', 'wait=x', 'respond-async', 'wait=1, wait=2'),
      'Upload-Length': fc.constantFrom(
        ...Array<string>(5).fill(String(png.length)),
        '0',
        '10',
        '-1',
        '99999999999',
      ),
      'Upload-Offset': fc.constantFrom('0', '0', '0', '10', '-1', 'x'),
      'Upload-Metadata': fc.constantFrom(...metadata),
      Range: fc.constantFrom(
        'bytes=0-9',
        'bytes=-5',
        'bytes=99999-',
        'bytes=9-0',
        'items=1',
        'bytes=0-1,3-4',
      ),
      'Tus-Resumable': fc.constantFrom('1.0.0', '1.0.0', '1.0.0', '1.0.0', '0.2.2'),
      file: fc.constantFrom(
        'page.js',
        'page.css',
        'swagger-ui.css',
        'client.md',
        'index.html',
        'package.json',
      ),
    },
    own: {
      // The workflows that the other requests run stay as they are.
      'setWorkflowRequirements.alias': fc.constantFrom('flip-and-rotate', 'nope'),
      ...Object.fromEntries(
        [
          'publishWorkflow',
          'removeWorkflow',
          'getWorkflowFile',
          'listWorkflowVersions',
          'restoreWorkflow',
        ].map((operation) => [`${operation}.alias`, publishedAlias]),
      ),
      'publishWorkflow.body': fc.record({
        workflow: fc.oneof(fc.constant(graph), junkGraph, fc.constant({ nodes: [], links: [] })),
        description: rarely(junkText),
        thumbnail: rarely(fc.constantFrom<unknown>(png.toString('base64'), 'AAAA', '!', null, 7)),
        previous: rarely(fc.constantFrom<unknown>(null, 'nope', 7)),
      }),
      'addBackend.body': fc.record({
        url: fc.constantFrom('http://127.0.0.1:9', 'http://127.0.0.1:7'),
        name: names,
      }),
      'generate.body': fc.record({ workflow: alias, '3/seed': rarely(seeds), '1/image': rarely(image) }),
      'runWorkflow.body': fc.record({ inputs: fc.record({ seed: seeds, nope: rarely(fc.constant(1)) }) }),
      'runTextToImage.body': fc.record({ inputs: fc.record({ seed: seeds }) }),
    },
  });

/** The only 5xx that these requests can bring about: the spare backend does not answer, and no machine has the tags that were required. */
const lackingOperations = ['unloadBackend', 'runFlipAndRotate'];
function isExpected({ operationId }: FuzzedRequest, { status }: ReadAnswer): boolean {
  return status < 500 || (status === 503 && lackingOperations.includes(operationId));
}

const plain = createAnswerChecker(plainDocument);
/** A workflow's own operation is for one job; a list among its inputs makes it the general one, whose answer is a group. */
const runsWorkflow = /^\/api\/bridge\/workflows\/[^/]+\/jobs/;

function judge(
  checker: AnswerChecker,
  document: Document,
  sent: FuzzedRequest,
  answer: ReadAnswer,
): string[] {
  const problems = isExpected(sent, answer)
    ? []
    : [`status ${answer.status}: ${answer.body.toString().slice(0, 300)}`];
  const found = findOperation(document, sent.method, sent.url);
  const { findUndocumented } = runsWorkflow.test(sent.url) ? plain : checker;
  if (found !== undefined) problems.push(...findUndocumented(sent.method, sent.url, answer));
  // HEAD is GET without a body, and is not described apart.
  else if (answer.status !== 404 && answer.status !== 400 && sent.method !== 'head')
    problems.push(`${sent.method} is not documented, and answered ${answer.status}`);
  return problems;
}

test.each(accessModes)(
  `${cases} requests, as meant and broken, are answered as the document says (%s, FUZZ_SEED=${seed})`,
  { timeout: 60_000 + cases * 100 },
  async (access) => {
    await using folder = await copyWorkflows({});
    await using t = await startBridge({
      access,
      role: 'operator',
      // Nothing that keeps this process busy for a moment makes it take its ComfyUI for lost.
      env: { PROBE_INTERVAL: '60', WORKFLOW_DIR: folder.path },
      sim: { mode: 'free', runMs: 0 },
    });
    using sender = createSender(t.url, t.credentials);
    const document = parseDocument(await parseBody(t.get('/openapi.json')));
    const checker = createAnswerChecker(document);
    const line = makeLine(createRequests(document));
    const problems = new Map<string, string>();

    async function work(): Promise<void> {
      for (const fuzzed of line) {
        const sent = sender.fill(fuzzed);
        const found = await sender.send(sent).then(
          (answer) => judge(checker, document, sent, answer),
          (error: unknown) => [`no answer: ${String(error)}`],
        );
        for (const problem of found) {
          const key = `${sent.operationId}: ${problem}`.slice(0, 200);
          if (!problems.has(key)) problems.set(key, `${key}\n${describe(sent)}`);
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work));

    expect([...problems.values()].join('\n\n'), `FUZZ_SEED=${seed} FUZZ_CASES=${cases}`).toBe('');
    expect((await t.get('/healthz')).status).toBe(200);
    expect(t.errors, `FUZZ_SEED=${seed}`).toEqual([]);
    await expect.poll(() => readdir(join(t.dataDir, 'tmp'))).toEqual([]);
    await expect.poll(() => openFilesBelow(t.dataDir)).toEqual([]);
  },
);

/** A few at a time: making them all would keep the bridge from answering its own probes. */
function* makeLine(requests: fc.Arbitrary<FuzzedRequest>): Generator<FuzzedRequest> {
  for (let made = 0; made < cases; made += someCases)
    yield* fc.sample(requests, { numRuns: Math.min(someCases, cases - made), seed: seed + made });
}

function describe({ method, url, headers, body }: FuzzedRequest): string {
  return `${method} ${url} ${JSON.stringify(headers)} ${body?.toString().slice(0, 500) ?? ''}`;
}

/** By what Linux says of this process; elsewhere there is no telling. */
async function openFilesBelow(folder: string): Promise<string[]> {
  const handles = await readdir('/proc/self/fd').catch(() => []);
  const files = await Promise.all(handles.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return files.filter((file) => file.startsWith(folder));
}
