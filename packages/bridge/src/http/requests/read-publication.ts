import { maxThumbnailBytes, publishRequestSchema } from '@comfy-bridge/protocol';
import type { ApiPrompt } from '@comfy-bridge/protocol';
import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import { indentJson, memberText } from '../../lib/json-text.ts';
import { stringifyLossless } from '../../lib/lossless-json.ts';
import { carryMarks } from '../../workflows/catalog/carry-marks.ts';
import type { NewPublication } from '../../workflows/catalog/publish-workflow.ts';
import { isUiWorkflow } from '../../workflows/convert-ui/is-ui-workflow.ts';
import { parseShape } from './read-body.ts';
import { readJsonDocument } from './read-json.ts';

export interface ReadPublicationDeps {
  /** Throws `invalid_workflow` for what cannot be converted exactly. */
  convert(workflow: unknown): ApiPrompt;
  /** Checks a picture and makes it one that everybody may see; else says what is wrong with it. */
  makeThumbnail(
    content: Buffer,
  ): Promise<{ ok: true; content: Buffer; extension: string } | { ok: false; reason: string }>;
}

/** Larger ones are read by nobody, and would keep the bridge busy. */
const maxReadable = 1024 * 1024;

const example =
  '{"workflow": {"3": {"class_type": "KSampler", "inputs": {}}}, "description": "Makes a picture."}';

/** What a caller wants to publish; `previous` is the version that it means to replace (null: none, undefined: whichever). */
export async function readPublication(
  { convert, makeThumbnail }: ReadPublicationDeps,
  request: Request,
  { maxBytes }: { maxBytes: number },
): Promise<NewPublication & { previous: string | null | undefined; problems: string[] }> {
  const { text, value } = await readJsonDocument(request, maxBytes, example);
  const { workflow, description, thumbnail, previous } = parseShape(publishRequestSchema, value);
  const file = isUiWorkflow(workflow)
    ? carryMarks(workflow, convert(workflow))
    : { prompt: undefined, problems: [] };
  // As it was written: the order of the nodes, and whether a number is 7 or 7.0, are lost once it is read.
  const written = memberText(text, 'workflow') ?? '{}';
  return {
    workflow: `${file.prompt === undefined ? toReadable(written) : stringifyLossless(file.prompt, 2)}\n`,
    description,
    thumbnail: thumbnail === null || thumbnail === undefined ? thumbnail : await readPicture(thumbnail),
    previous,
    problems: file.problems,
  };

  async function readPicture(base64: string): Promise<{ base64: string; extension: string }> {
    const refuse = (reason: string) => new BridgeError('file_refused', `the thumbnail: ${reason}`);
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw refuse('it is not in base64');
    const content = Buffer.from(base64, 'base64');
    if (content.length > maxThumbnailBytes) throw refuse(`it is larger than ${maxThumbnailBytes} bytes`);
    const made = await makeThumbnail(content);
    if (!made.ok) throw refuse(made.reason);
    return { base64: made.content.toString('base64'), extension: made.extension };
  }
}

/** People may edit the file: one that was sent on a single line is laid out. */
function toReadable(json: string): string {
  return json.length > maxReadable ? json : indentJson(json);
}
