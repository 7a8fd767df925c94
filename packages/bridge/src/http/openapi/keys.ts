import {
  auditPageSchema,
  createdKeySchema,
  keyChangeSchema,
  keyListSchema,
  keyRotationSchema,
  keySchema,
  newKeySchema,
  ticketSchema,
} from '@comfy-bridge/protocol';
import { z } from 'zod';

import { json } from './operation.ts';
import type { Operation } from './operation.ts';

const path = '/api/bridge/keys';
const shared = { tag: 'operation', access: 'operator' } as const;
const guarded = ['unauthorized', 'forbidden'] as const;
const kept = ['unavailable', 'storage_full'] as const;
const idPath = z.object({ id: z.string().meta({ example: '0a1b2c3d4e5f' }) });
const key = json(keySchema);
const created = json(createdKeySchema);

/** Who may call the bridge, where keys are required. */
export const keyOperations: readonly Operation[] = [
  {
    ...shared,
    method: 'get',
    path,
    operationId: 'listKeys',
    summary: 'All keys',
    answers: {
      200: { description: 'Without their secrets, the oldest first.', content: json(keyListSchema) },
    },
    refusals: guarded,
  },
  {
    ...shared,
    method: 'post',
    path,
    operationId: 'createKey',
    summary: 'Create a key',
    body: { required: true, content: json(newKeySchema, { name: 'shop', role: 'client' }) },
    answers: { 201: { description: 'The key, with its secret this one time.', content: created } },
    refusals: [...guarded, 'bad_request', 'too_large', 'conflict', ...kept],
  },
  {
    ...shared,
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getKey',
    summary: 'One key',
    pathParameters: idPath,
    answers: { 200: { description: 'The key.', content: key } },
    refusals: [...guarded, 'not_found'],
  },
  {
    ...shared,
    method: 'patch',
    path: `${path}/{id}`,
    operationId: 'changeKey',
    summary: 'Change what a key may do',
    pathParameters: idPath,
    body: { required: true, content: json(keyChangeSchema, { role: 'author', expires_in: 7_776_000 }) },
    answers: { 200: { description: 'The key as it is now.', content: key } },
    refusals: [...guarded, 'bad_request', 'too_large', 'not_found', 'conflict', ...kept],
  },
  {
    ...shared,
    method: 'post',
    path: `${path}/{id}/rotate`,
    operationId: 'rotateKey',
    summary: 'A new secret for a key',
    description:
      'What belongs to the key stays its own. The secret before ends at once, or after `overlap` seconds.',
    pathParameters: idPath,
    body: { required: true, content: json(keyRotationSchema, { overlap: 3600 }) },
    answers: { 200: { description: 'The key, with its new secret this one time.', content: created } },
    refusals: [...guarded, 'bad_request', 'too_large', 'not_found', 'conflict', ...kept],
  },
  {
    ...shared,
    method: 'delete',
    path: `${path}/{id}`,
    operationId: 'revokeKey',
    summary: 'Revoke a key',
    description: 'At once and for good; its open WebSockets and event streams end.',
    pathParameters: idPath,
    answers: { 200: { description: 'The key, revoked.', content: key } },
    refusals: [...guarded, 'not_found', ...kept],
  },
];

export const auditOperations: readonly Operation[] = [
  {
    ...shared,
    method: 'get',
    path: '/api/bridge/audit',
    operationId: 'listAudit',
    summary: 'Who did what when',
    description:
      'Changes of keys, backends and workflows, interventions of operators, and refusals; the last 10,000, the newest first.',
    query: z.object({
      limit: z.int().min(1).max(1_000).default(100),
      after: z
        .string()
        .regex(/^\d{15}-[0-9a-f]{8}$/)
        .optional()
        .describe('The `next` of the page before.'),
    }),
    answers: { 200: { description: 'One page.', content: json(auditPageSchema) } },
    refusals: [...guarded, 'bad_request', ...kept],
  },
];

export const ticketOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/bridge/tickets',
    operationId: 'createTicket',
    tag: 'service',
    summary: 'A ticket for one WebSocket or event stream',
    description:
      'Browsers cannot send a key with these, and a key must not stand in a URL: open them with `?ticket=…`, once, within a minute.',
    answers: { 201: { description: 'The ticket.', content: json(ticketSchema) } },
    refusals: ['limited'],
  },
];
