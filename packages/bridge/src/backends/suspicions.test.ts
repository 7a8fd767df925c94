import type { ApiPrompt } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import type { NodeDefinition, NodeDefinitions } from '../comfy/object-info.ts';
import { parsePromptRejection } from '../comfy/prompt-rejection.ts';
import type { Lack, Suspicion } from './fleet.ts';
import { addSuspicions, keepSuspicions, lacksInFailure, lacksInRejection } from './suspicions.ts';

const prompt: ApiPrompt = {
  '4': { class_type: 'LoraLoader', inputs: { lora_name: 'sub/x.safetensors', strength: 1, model: ['3', 0] } },
  '5': { class_type: 'Rare', inputs: {} },
};

function define(classType: string, options: readonly string[]): NodeDefinition {
  const inputs = new Map([['lora_name', { type: 'COMBO', required: true, options }]]);
  return { classType, displayName: classType, outputNode: false, outputs: [], inputs };
}

const offer = (...definitions: NodeDefinition[]): NodeDefinitions =>
  new Map(definitions.map((definition) => [definition.classType, definition]));

const offered = offer(define('LoraLoader', ['sub\\x.safetensors', 'y.safetensors']), define('Rare', []));
const lora: Lack = { classType: 'LoraLoader', inputName: 'lora_name', value: 'sub/x.safetensors' };
const rare: Lack = { classType: 'Rare', inputName: null, value: null };

function reject(body: object) {
  const rejection = parsePromptRejection(body);
  if (rejection === undefined) throw new Error('not a rejection');
  return rejection;
}

const refusedInput = (nodeId: string, inputName: string, type = 'value_not_in_list') =>
  reject({
    error: { type: 'prompt_outputs_failed_validation', message: '', details: '', extra_info: {} },
    node_errors: {
      [nodeId]: {
        class_type: 'whatever it says',
        dependent_outputs: [],
        errors: [
          { type, message: '', details: '', extra_info: { input_name: inputName, received_value: 'z' } },
        ],
      },
    },
  });

test('a choice that is listed and refused is lacking, however its folders are spelled', () => {
  expect(lacksInRejection(refusedInput('4', 'lora_name'), prompt, offered)).toEqual([lora]);
});

test('what was not listed, is no choice, or was refused for another reason says nothing new', () => {
  const other = offer(define('LoraLoader', ['y.safetensors']));
  expect(lacksInRejection(refusedInput('4', 'lora_name'), prompt, other)).toEqual([]);
  expect(lacksInRejection(refusedInput('4', 'lora_name'), prompt, undefined)).toEqual([]);
  for (const [node, input] of [
    ['4', 'model'],
    ['4', 'constructor'],
    ['9', 'lora_name'],
    ['__proto__', 'x'],
  ] as const)
    expect(lacksInRejection(refusedInput(node, input), prompt, offered)).toEqual([]);
  const custom = refusedInput('4', 'lora_name', 'custom_validation_failed');
  expect(lacksInRejection(custom, prompt, offered)).toEqual([]);
});

test.each([
  ['older versions', { type: 'invalid_prompt', message: 'x', details: "Node ID '#5'", extra_info: {} }],
  ['newer versions', { type: 'missing_node_type', message: 'x', details: '', extra_info: { node_id: '5' } }],
])('a class that is listed and refused is lacking: %s', (_which, error) => {
  expect(lacksInRejection(reject({ error, node_errors: {} }), prompt, offered)).toEqual([rare]);
  expect(lacksInRejection(reject({ error, node_errors: {} }), prompt, offer())).toEqual([]);
});

const notFound = (file: string, nodeId: string | null = '4', exceptionType = 'FileNotFoundError') => ({
  nodeId,
  nodeType: 'LoraLoader',
  exceptionType,
  message: `Model in folder 'loras' with filename '${file}' not found.\n`,
});

test('a listed file that a node does not find is lacking', () => {
  expect(lacksInFailure(notFound('sub/x.safetensors'), prompt, offered)).toEqual([lora]);
  expect(lacksInFailure(notFound('sub\\x.safetensors'), prompt, offered)).toEqual([lora]);
});

test('any other failure of a node is not certain', () => {
  const { message } = notFound('sub/x.safetensors');
  for (const failure of [
    notFound('other.safetensors'),
    notFound('sub/x.safetensors', '5'),
    notFound('sub/x.safetensors', null),
    notFound('sub/x.safetensors', '4.0.1'),
    notFound('sub/x.safetensors', '4', 'RuntimeError'),
    { ...notFound(''), message: `something else. ${message}` },
  ])
    expect(lacksInFailure(failure, prompt, offered)).toEqual([]);
  expect(lacksInFailure(notFound('sub/x.safetensors'), prompt, offer(define('LoraLoader', [])))).toEqual([]);
});

test('each is suspected once, and of too many the newest are', () => {
  const once = addSuspicions([], [lora, rare, { ...lora, value: 'sub\\x.safetensors' }], 7);
  expect(once).toEqual([
    { ...rare, since: 7 },
    { ...lora, value: 'sub\\x.safetensors', since: 7 },
  ]);
  const many = Array.from({ length: 500 }, (_, value) => ({ ...lora, value }));
  const kept = addSuspicions(once, many, 8);
  expect(kept).toHaveLength(200);
  expect(kept.at(-1)).toEqual({ ...lora, value: 499, since: 8 });
});

test('they stand while the same is said there, whatever is said elsewhere', () => {
  const suspicions: Suspicion[] = [
    { ...lora, since: 0 },
    { ...rare, since: 0 },
  ];
  const after = (...definitions: NodeDefinition[]) =>
    keepSuspicions(suspicions, { before: offered, after: offer(...definitions), now: 1 });
  const [loader, other] = [offered.get('LoraLoader'), offered.get('Rare')];
  if (loader === undefined || other === undefined) throw new Error('not defined');
  expect(after(loader, other, define('New', []))).toBe(suspicions);
  // An equal list is the same object, also in a definition that changed.
  expect(after({ ...loader, displayName: 'New' }, other)).toBe(suspicions);
  expect(after(define('LoraLoader', ['sub/x.safetensors']), other)).toEqual([{ ...rare, since: 0 }]);
  expect(after(loader)).toEqual([{ ...lora, since: 0 }]);
  expect(after()).toEqual([]);
});

test('after an hour it is worth another try', () => {
  const suspicions = [{ ...lora, since: 0 }];
  const at = (now: number) => keepSuspicions(suspicions, { before: offered, after: offered, now });
  expect([at(3_599_999), at(3_600_000)]).toEqual([suspicions, []]);
});
