// What both example clients do alike: read the arguments, ask for the inputs, upload, submit, save.
import { openAsBlob } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';

const usage = `Usage: node <client>.ts <server> <workflow> [options]

  <server>             such as http://127.0.0.1:8000
  <workflow>           an alias of GET /workflow-list
  --input key=value    an input of GET /workflow-info, such as --input "6/text=a cat"; may be repeated
  --image key=path     a file for an input, such as --image 10/image=photo.png; may be repeated
  --out dir            where the results go (default: results)`;

export interface Arguments {
  server: string;
  workflow: string;
  inputs: [key: string, value: string][];
  images: [key: string, path: string][];
  out: string;
}

/** Runs a client: exit code 1 and the reason on standard error when anything fails. */
export async function main(run: (args: Arguments) => Promise<void>): Promise<void> {
  try {
    await run(readArguments(process.argv.slice(2)));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function readArguments(args: string[]): Arguments {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      input: { type: 'string', multiple: true, default: [] },
      image: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: 'results' },
    },
  });
  const [server, workflow, ...others] = positionals;
  if (server === undefined || workflow === undefined || others.length > 0) throw new Error(usage);
  const { input, image, out } = values;
  return {
    server: server.replace(/\/+$/, ''),
    workflow,
    inputs: input.map(splitPair),
    images: image.map(splitPair),
    out,
  };
}

function splitPair(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`"${text}" is not key=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Calls the bridge. What it refuses becomes an Error with the reason that it gives. */
export async function call(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(600_000), ...init });
  if (response.ok) return response;
  const text = await response.text();
  throw new Error(
    text.startsWith('{') ? JSON.parse(text).detail : `${response.status} ${text.slice(0, 200)}`,
  );
}

/** GET /workflow-info: which inputs the workflow has, and of which type. */
export async function getWorkflowInfo(
  server: string,
  workflow: string,
): Promise<Record<string, { type: string }>> {
  const response = await call(`${server}/workflow-info?workflow=${encodeURIComponent(workflow)}`);
  return JSON.parse(await response.text());
}

/** The values as the workflow wants them: numbers and booleans instead of text. */
export function toValues(
  inputs: [string, string][],
  info: Record<string, { type: string }>,
): Record<string, unknown> {
  return Object.fromEntries(inputs.map(([key, text]) => [key, toValue(text, info[key]?.type)]));
}

function toValue(text: string, type: string | undefined): unknown {
  if (type === 'bool' && /^(true|false)$/.test(text)) return text === 'true';
  // A seed beyond 2^53 stays text: as a number it would lose its last digits. The bridge takes both.
  if (type === 'int' && Number.isSafeInteger(Number(text))) return Number(text);
  if (type === 'float' && Number.isFinite(Number(text))) return Number(text);
  return text;
}

/** POST /upload: all files in one request. Resolves with the saved name for each key. */
export async function uploadFiles(
  server: string,
  clientId: string,
  images: [key: string, path: string][],
): Promise<Record<string, string>> {
  if (images.length === 0) return {};
  const form = new FormData();
  for (const [key, path] of images) form.append(key, await openAsBlob(path), basename(path));
  const response = await call(`${server}/upload?clientId=${clientId}`, { method: 'POST', body: form });
  return JSON.parse(await response.text());
}

/** POST /generate-based-workflow: what is not among `values` keeps the author's default. */
export async function submit(
  server: string,
  clientId: string,
  workflow: string,
  values: Record<string, unknown>,
): Promise<void> {
  await call(`${server}/generate-based-workflow?clientId=${clientId}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ workflow, ...values }),
  });
}

/** Saves a result as `result_0.png`: of the server's file name only the extension is used. */
export async function saveResult(
  out: string,
  index: number,
  fileName: string,
  content: Uint8Array,
): Promise<void> {
  await mkdir(out, { recursive: true });
  const path = join(out, `result_${index}${extname(fileName)}`);
  await writeFile(path, content);
  process.stdout.write(`saved ${path}\n`);
}
