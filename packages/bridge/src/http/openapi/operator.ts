import {
  addressedBackendSchema,
  backendActivitySchema,
  backendSchema,
  bridgeStatsSchema,
  leavingBackendSchema,
  requirementsSchema,
  settingsSchema,
} from '@comfy-bridge/protocol';
import { z } from 'zod';

import { backendChangeSchema, newBackendSchema } from '../../backends/backend-settings.ts';
import { requirementsRequestSchema } from '../routes/requirements.ts';
import { json } from './operation.ts';
import type { Operation } from './operation.ts';
import { aliasPath, backendPath } from './parameters.ts';

const path = '/api/bridge/backends';
const shared = { tag: 'operation', access: 'operator' } as const;
const guarded = ['unauthorized', 'forbidden'] as const;
const kept = ['unavailable', 'storage_full'] as const;
const backend = json(backendSchema);

/** The fleet, and everything that operators may do to it. */
const backendOperations: readonly Operation[] = [
  {
    ...shared,
    method: 'get',
    path,
    operationId: 'listBackends',
    summary: 'The fleet',
    answers: { 200: { description: 'All backends.', content: json(z.array(addressedBackendSchema)) } },
    refusals: guarded,
  },
  {
    ...shared,
    method: 'post',
    path,
    operationId: 'addBackend',
    summary: 'Add a ComfyUI to the fleet',
    body: {
      required: true,
      content: json(newBackendSchema, { url: '192.168.1.22:8188', name: 'studio' }),
    },
    answers: { 201: { description: 'It is watched from now on, and kept over restarts.', content: backend } },
    refusals: [...guarded, 'bad_request', 'too_large', 'conflict', ...kept],
  },
  {
    ...shared,
    method: 'get',
    path: `${path}/{name}`,
    operationId: 'getBackend',
    summary: 'One backend',
    pathParameters: backendPath,
    answers: { 200: { description: 'The backend.', content: json(addressedBackendSchema) } },
    refusals: [...guarded, 'not_found'],
  },
  {
    ...shared,
    method: 'get',
    path: `${path}/{name}/activity`,
    operationId: 'getBackendActivity',
    summary: 'What a backend has done within the last hour',
    description: 'From what the bridge learns of it anyway; since the start of the bridge.',
    pathParameters: backendPath,
    answers: { 200: { description: 'Its samples.', content: json(backendActivitySchema) } },
    refusals: [...guarded, 'not_found'],
  },
  {
    ...shared,
    method: 'patch',
    path: `${path}/{name}`,
    operationId: 'changeBackend',
    summary: 'Change how a backend is used',
    pathParameters: backendPath,
    body: { required: true, content: json(backendChangeSchema, { weight: 2, tags: ['gpu-24gb'] }) },
    answers: { 200: { description: 'The backend as it is now.', content: backend } },
    refusals: [...guarded, 'bad_request', 'too_large', 'not_found', 'conflict', ...kept],
  },
  {
    ...shared,
    method: 'delete',
    path: `${path}/{name}`,
    operationId: 'removeBackend',
    summary: 'Take a backend out of the fleet',
    description: 'It finishes what it has, unless `now=true`: then its jobs go to others.',
    pathParameters: backendPath,
    query: z.object({ now: z.enum(['true', 'false']).default('false') }),
    answers: { 202: { description: 'It leaves, or has left.', content: json(leavingBackendSchema) } },
    refusals: [...guarded, 'bad_request', 'not_found', 'conflict', ...kept],
  },
  ...(
    [
      ['drain', 'drainBackend', 'No new work for a backend'],
      ['pause', 'pauseBackend', 'No new work for a backend, and what has not begun is taken back'],
      ['resume', 'resumeBackend', 'Work for a backend again'],
    ] as const
  ).map(([action, operationId, summary]): Operation => ({
    ...shared,
    method: 'post',
    path: `${path}/{name}/${action}`,
    operationId,
    summary,
    pathParameters: backendPath,
    answers: { 200: { description: 'The backend as it is now.', content: backend } },
    refusals: [...guarded, 'not_found', 'conflict', ...kept],
  })),
  {
    ...shared,
    method: 'post',
    path: `${path}/{name}/free`,
    operationId: 'unloadBackend',
    summary: 'Unload the models of a backend',
    pathParameters: backendPath,
    answers: { 200: { description: 'It was asked to.', content: backend } },
    refusals: [...guarded, 'not_found', 'unavailable'],
  },
];

const requirementsPath = '/api/bridge/workflows/{alias}/requirements';
const requirements = json(requirementsSchema);

export const operatorOperations: readonly Operation[] = [
  {
    ...shared,
    method: 'get',
    path: '/api/bridge/settings',
    operationId: 'getSettings',
    summary: 'What the bridge was started with',
    description: 'Of secrets only that there is one.',
    answers: { 200: { description: 'Every setting.', content: json(settingsSchema) } },
    refusals: guarded,
  },
  ...backendOperations,
  {
    ...shared,
    method: 'get',
    path: '/api/bridge/stats',
    operationId: 'getStats',
    summary: 'How the bridge is doing',
    description: 'Counted since its start, and over the last day at the most.',
    answers: { 200: { description: 'In one look.', content: json(bridgeStatsSchema) } },
    refusals: guarded,
  },
  {
    ...shared,
    method: 'get',
    path: requirementsPath,
    operationId: 'getWorkflowRequirements',
    summary: 'What a workflow requires of a machine',
    pathParameters: aliasPath,
    answers: { 200: { description: 'With the machines that have it.', content: requirements } },
    refusals: [...guarded, 'not_found'],
  },
  {
    ...shared,
    method: 'put',
    path: requirementsPath,
    operationId: 'setWorkflowRequirements',
    summary: 'Require tags of the machines that run a workflow',
    pathParameters: aliasPath,
    body: { required: true, content: json(requirementsRequestSchema, { tags: ['gpu-24gb'] }) },
    answers: { 200: { description: 'With the machines that have them.', content: requirements } },
    refusals: [...guarded, 'bad_request', 'too_large', 'not_found', ...kept],
  },
];
