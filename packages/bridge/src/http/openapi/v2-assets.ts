import { v2AssetFieldsSchema, v2AssetFromHashSchema, v2AssetSchema } from '@comfy-bridge/protocol';
import { z } from 'zod';

import { bytes, json } from './operation.ts';
import type { Answer, Operation } from './operation.ts';
import { assetPath, idempotencyHeaders } from './parameters.ts';

const tag = 'assets';
const asset = json(v2AssetSchema);
const hash = 'blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adaf9c0b4b8ecd0e5ddf8a2c';
const kept = ['unavailable', 'storage_full'] as const;

export const rangeHeaders = z.object({
  Range: z.string().optional().describe('One range, as in `bytes=0-1048575`.'),
  'If-Range': z
    .string()
    .optional()
    .describe('The `ETag` of what is there already: of another file, the whole is sent.'),
  'If-None-Match': z.string().optional().describe('The `ETag` that the caller has.'),
});

const fileHeaders = {
  'Accept-Ranges': z.literal('bytes'),
  ETag: z.string().optional(),
};
const sentHeaders = { ...fileHeaders, 'Content-Disposition': z.string().describe('With its name.') };

/** How a stored file is answered: whole, in part, or not at all where the caller has it. */
export const fileAnswers: Readonly<Record<number, Answer>> = {
  200: {
    description: 'The full content.',
    content: bytes('application/octet-stream', '*/*'),
    headers: sentHeaders,
  },
  206: {
    description: 'The range that was asked for.',
    content: bytes('application/octet-stream', '*/*'),
    headers: { ...sentHeaders, 'Content-Range': z.string() },
  },
  304: { description: 'The caller has it.', headers: fileHeaders },
};

/** The form of an upload: the contract asks for `content_type` and `file_path`, the bridge can do without. */
const uploadForm = z.object({
  file: z.file().describe('The raw bytes.'),
  ...v2AssetFieldsSchema.shape,
  // A number in the schema, as in the contract; forms send it as text.
  expires_in: v2AssetFromHashSchema.shape.expires_in,
});

/** Assets of Comfy API v2; operation ids, paths and shapes are the official ones. */
export const v2AssetOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/v2/assets',
    operationId: 'postAssets',
    tag,
    summary: 'Upload a file',
    description: 'In one request. Larger files, and lines that break: `POST /api/bridge/uploads` (tus).',
    headers: idempotencyHeaders,
    body: { required: true, content: { 'multipart/form-data': { schema: uploadForm } } },
    answers: {
      200: { description: 'The bytes were there already; a new asset refers to them.', content: asset },
      201: { description: 'The bytes are new.', content: asset },
    },
    refusals: [
      'bad_request',
      'file_refused',
      'too_large',
      'hash_mismatch',
      'idempotency_key_reuse',
      'draining',
      ...kept,
    ],
    extensions: { 'x-streaming-upload': true, 'x-idempotency-key': 'recommended' },
  },
  {
    method: 'post',
    path: '/api/v2/assets/from-hash',
    operationId: 'assetFromHash',
    tag,
    summary: 'An asset over bytes that are there already',
    description: 'Only over bytes that the caller itself has uploaded.',
    body: { required: true, content: json(v2AssetFromHashSchema, { hash, file_path: 'photo.png' }) },
    answers: {
      200: { description: 'The same asset was there already.', content: asset },
      201: { description: 'A new one.', content: asset },
    },
    refusals: ['bad_request', 'file_refused', 'too_large', 'blob_not_found', ...kept],
  },
  {
    method: 'head',
    path: '/api/v2/assets/by-hash/{hash}',
    operationId: 'headAssetByHash',
    tag,
    summary: 'Whether bytes are there already',
    pathParameters: z.object({
      hash: z.string().describe('`blake3:<64 hex digits>`').meta({ example: hash }),
    }),
    answers: { 200: { description: 'They are, and the caller may use them.' } },
    refusals: ['blob_not_found', 'unavailable'],
  },
  {
    method: 'get',
    path: '/api/v2/assets/{id}',
    operationId: 'getAsset',
    tag,
    summary: 'An asset',
    description: "One's own, or a result of a job: the `id` of an output is an asset's.",
    pathParameters: assetPath,
    answers: { 200: { description: 'The asset, with where its bytes are.', content: asset } },
    refusals: ['not_found', 'unavailable'],
  },
  {
    method: 'delete',
    path: '/api/v2/assets/{id}',
    operationId: 'deleteAsset',
    tag,
    summary: 'Delete an asset',
    description: 'The bytes stay while another asset refers to them.',
    pathParameters: assetPath,
    answers: { 204: { description: 'It is gone.' } },
    refusals: ['not_found', 'asset_in_use', ...kept],
  },
  {
    method: 'get',
    path: '/api/v2/assets/{id}/content',
    operationId: 'getAssetContent',
    tag,
    summary: 'The bytes of an asset',
    pathParameters: assetPath,
    headers: rangeHeaders,
    answers: fileAnswers,
    refusals: ['not_found', 'range_not_satisfiable', 'unavailable'],
  },
];
