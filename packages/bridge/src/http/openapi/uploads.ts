import { v2AssetSchema, v2ErrorSchema } from '@comfy-bridge/protocol';
import { z } from 'zod';

import { bytes, json } from './operation.ts';
import type { Answer, Operation } from './operation.ts';

const tag = 'assets';
const path = '/api/bridge/uploads';

const version = z.literal('1.0.0');
const tusHeaders = z.object({ 'Tus-Resumable': version });
const offset = z.int().nonnegative();
const offsetHeader = offset.describe('Bytes that are there.');
const expires = z.string().optional().describe('When it is given up unless it goes on (an HTTP date).');
const uploadPath = z.object({ id: z.string().meta({ example: '9f8a1c0d-2b3e-4f56-8a7b-1c2d3e4f5a6b' }) });
const stream = 'application/offset+octet-stream';

const resumable = { 'Tus-Resumable': version.optional() };
const otherVersion: Answer = {
  description: '`bad_request`: `Tus-Resumable: 1.0.0` is missing.',
  content: json(v2ErrorSchema),
  headers: { 'Tus-Version': version },
};
const spoken: Answer = {
  description: 'What is spoken.',
  headers: {
    'Tus-Version': version,
    'Tus-Extension': z.string(),
    'Tus-Max-Size': z.int().nonnegative().optional(),
  },
};
const kept = ['unavailable', 'storage_full', 'draining'] as const;

/** Resumable uploads, tus 1.0.0 (https://tus.io/protocols/resumable-upload): the id of a whole one is an asset's. */
export const uploadOperations: readonly Operation[] = [
  {
    method: 'options',
    path,
    operationId: 'describeUploads',
    tag,
    summary: 'What resumable uploads can do',
    answers: { 204: spoken },
  },
  {
    method: 'post',
    path,
    operationId: 'createUpload',
    tag,
    summary: 'Begin a resumable upload',
    description:
      'tus 1.0.0 with `creation`, `creation-with-upload`, `termination` and `expiration`: any tus client speaks it. The bytes may follow at once.',
    headers: tusHeaders.extend({
      'Upload-Length': offset.describe('Bytes of the whole file.').meta({ example: 4816293 }),
      'Upload-Metadata': z
        .string()
        .describe('`filename`, and if wanted `filetype` and `expires_in`: each with its value in base64.')
        .meta({ example: 'filename cGhvdG8ucG5n' }),
    }),
    body: { required: false, content: bytes(stream) },
    answers: {
      201: {
        description: 'It has begun.',
        headers: {
          ...resumable,
          Location: z.string().describe('Where it goes on.'),
          'Upload-Offset': offsetHeader.optional(),
          'Upload-Expires': expires,
        },
      },
      412: otherVersion,
    },
    refusals: ['bad_request', 'file_refused', 'too_large', 'not_found', 'conflict', 'limited', ...kept],
  },
  {
    method: 'options',
    path: `${path}/{id}`,
    operationId: 'describeUpload',
    tag,
    summary: 'What resumable uploads can do',
    pathParameters: uploadPath,
    answers: { 204: spoken },
  },
  {
    method: 'head',
    path: `${path}/{id}`,
    operationId: 'getUploadOffset',
    tag,
    summary: 'How far an upload is',
    pathParameters: uploadPath,
    headers: tusHeaders,
    answers: {
      200: {
        description: 'So far.',
        headers: {
          ...resumable,
          'Upload-Offset': offsetHeader,
          'Upload-Length': offset.optional(),
          'Upload-Metadata': z.string().optional(),
          'Upload-Expires': expires,
        },
      },
      412: otherVersion,
    },
    refusals: ['not_found', 'file_refused', 'unavailable', 'storage_full'],
  },
  {
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getUploadedAsset',
    tag,
    summary: 'The asset that an upload has become',
    pathParameters: uploadPath,
    answers: { 200: { description: 'The asset.', content: json(v2AssetSchema) } },
    refusals: ['not_found', 'file_refused', 'unavailable', 'storage_full'],
  },
  {
    method: 'patch',
    path: `${path}/{id}`,
    operationId: 'continueUpload',
    tag,
    summary: 'Send more bytes of an upload',
    description: 'With its last byte the file is checked, and becomes an asset.',
    pathParameters: uploadPath,
    headers: tusHeaders.extend({ 'Upload-Offset': offset.describe('Where these bytes begin.') }),
    body: { required: true, content: bytes(stream) },
    answers: {
      204: {
        description: 'They are there.',
        headers: { ...resumable, 'Upload-Offset': offsetHeader, 'Upload-Expires': expires },
      },
      412: otherVersion,
    },
    refusals: ['bad_request', 'file_refused', 'too_large', 'not_found', 'conflict', ...kept],
  },
  {
    method: 'delete',
    path: `${path}/{id}`,
    operationId: 'abandonUpload',
    tag,
    summary: 'Give up an upload',
    pathParameters: uploadPath,
    headers: tusHeaders,
    answers: { 204: { description: 'It is gone.', headers: resumable }, 412: otherVersion },
    refusals: ['bad_request', 'not_found', 'file_refused', 'unavailable', 'storage_full'],
  },
];
