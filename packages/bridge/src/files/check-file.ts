import { open } from 'node:fs/promises';
import type { OutputType } from '@comfy-bridge/protocol';
import {
  findAllowedByExtension,
  listAllowedExtensions,
  type AllowedType,
  type AllowedTypes,
} from './allowed-types.ts';
import { checkFileName } from './check-file-name.ts';
import { checkImage, type ImageLimits } from './check-image.ts';
import { checkMedia } from './check-media.ts';
import type { MediaPolicy } from './check-media.ts';
import { checkText } from './check-text.ts';
import type { FileContent } from './file-content.ts';
import { findFileType, findFileTypeByExtension, isSameFamily, toContentType } from './file-types.ts';
import { createBufferWindow, createFileWindow, type FileWindow } from './file-window.ts';
import { isZipArchive } from './find-payload.ts';
import type { FileScan } from './scan/file-scan.ts';
import { sniffContent } from './sniff-content.ts';

export interface CheckPolicy extends ImageLimits {
  allowed: AllowedTypes;
  /** Without it, no sound and no video gets through. */
  media?: MediaPolicy;
  /** Looks for viruses in what is fine otherwise. */
  scan?: FileScan;
}

/** Limits that hold unless a policy says otherwise. */
export const defaultImageLimits: ImageLimits = {
  maxPixels: 100_000_000,
  maxDimension: 32_768,
  maxFrames: 1000,
};

export interface UncheckedFile {
  content: FileContent;
  /** bytes */
  size: number;
  /** As the sender called it. */
  fileName: string;
  /** The MIME type that the sender gave; undefined and `application/octet-stream` claim nothing. */
  declaredType: string | undefined;
}

export interface CheckedFile {
  /** What the content is, whatever was declared. */
  contentType: string;
  /** With dot; right for the content. */
  extension: string;
  kind: OutputType;
  /** Pixels; of images. */
  width?: number;
  height?: number;
  /** Of images; 1 for a still one. */
  frames?: number;
}

export type CheckResult = { ok: true; file: CheckedFile } | { ok: false; reason: string };

/**
 * The safety check of everything that comes in from clients and out of ComfyUIs: name, declared type, extension and
 * content must agree and be allowed, and nothing may ride along with a picture. Words are never a reason: an image whose
 * prompt speaks of `<script>` is an image. `reason` is fit for the sender. Throws `BridgeError('unavailable')` where a part of the
 * check cannot be made.
 */
export async function checkFile(file: UncheckedFile, policy: CheckPolicy): Promise<CheckResult> {
  const result = await checkKnown(file, policy);
  if (!result.ok || policy.scan === undefined) return result;
  const reason = await policy.scan(file);
  return reason === undefined ? result : { ok: false, reason };
}

async function checkKnown(file: UncheckedFile, policy: CheckPolicy): Promise<CheckResult> {
  const claim = checkClaim(file, policy.allowed);
  if (!claim.ok) return claim;
  const { content, size } = file;
  if (size === 0) return { ok: false, reason: 'the file is empty' };
  if (typeof content !== 'string')
    return await checkContent(content, createBufferWindow(content), claim, policy);
  await using handle = await open(content, 'r');
  return await checkContent(content, createFileWindow(handle, size), claim, policy);
}

interface Claim {
  claimed: AllowedType;
  extension: string;
}

/** The part of the check that needs no content: can a file of this name and declared type be allowed at all? */
export function checkClaim(
  { fileName, declaredType }: Pick<UncheckedFile, 'fileName' | 'declaredType'>,
  allowed: AllowedTypes,
): ({ ok: true } & Claim) | { ok: false; reason: string } {
  const name = checkFileName(fileName);
  if (!name.ok) return name;
  const { extension } = name;
  const claimed = findAllowedByExtension(allowed, extension);
  if (claimed === undefined) {
    const list = listAllowedExtensions(allowed).join(', ');
    return {
      ok: false,
      reason: `files of type ${extension.slice(0, 20)} are not allowed; allowed are ${list}`,
    };
  }
  const reason = checkDeclaredType(declaredType, claimed);
  return reason === undefined ? { ok: true, claimed, extension } : { ok: false, reason };
}

async function checkContent(
  content: FileContent,
  window: FileWindow,
  { claimed, extension }: Claim,
  policy: CheckPolicy,
): Promise<CheckResult> {
  if (claimed.type.kind === 'text') {
    const reason = await checkText(window, claimed.type.contentType);
    return reason === undefined ? accept(claimed, extension) : { ok: false, reason };
  }
  const real = await sniffContent(content, window);
  if (real.type === undefined || !isSameFamily(real.type, claimed.type)) {
    const label = real.type === undefined ? real.label : real.type.label;
    return { ok: false, reason: `its content is ${label}, not ${claimed.type.label} as its name says` };
  }
  const { contentType, kind } = claimed.type;
  if (kind === 'image') {
    const image = await checkImage({ content, contentType, window }, policy);
    if (!image.ok) return image;
    const { width, height, frames } = image;
    return accept(claimed, extension, { width, height, frames });
  }
  if (kind !== 'video' && kind !== 'audio') {
    const hidden = await isZipArchive(window);
    return hidden ? { ok: false, reason: 'a ZIP archive is hidden in the file' } : accept(claimed, extension);
  }
  const reason = await checkMedia({ content, contentType, kind, window }, policy);
  return reason === undefined ? accept(claimed, extension) : { ok: false, reason };
}

function checkDeclaredType(declaredType: string | undefined, claimed: AllowedType): string | undefined {
  const declared = toContentType(declaredType ?? '');
  if (declared === '' || declared === 'application/octet-stream' || declared === 'binary/octet-stream')
    return undefined;
  const type = findFileType(declared);
  if (type !== undefined && isSameFamily(type, claimed.type)) return undefined;
  // Sent as it came in, so only what a MIME type can look like.
  const shown = /^[\w.+-]{1,40}\/[\w.+-]{1,60}$/.test(declared) ? `as ${declared}` : 'as another type';
  return `it is declared ${shown}, but its name says ${claimed.type.contentType}`;
}

function accept(
  claimed: AllowedType,
  extension: string,
  image: { width?: number; height?: number; frames?: number } = {},
): CheckResult {
  const { contentType, kind } = claimed.type;
  // `.opus` and `.m4v` mean something to those who read them; `.jpe` and the like take the usual form.
  const keeps = claimed.type.family !== undefined && findFileTypeByExtension(extension) === claimed.type;
  return {
    ok: true,
    file: { contentType, extension: keeps ? extension : claimed.extension, kind, ...image },
  };
}
