import { describe, expect, it } from 'vitest';

import { parseLossless, stringifyLossless } from '../../lib/lossless-json.ts';
import { bindInputs, type BindDeps, type BoundInputs } from './bind-inputs.ts';
import { findDefinition } from '../fixtures/find-definition.ts';
import { messageForProblems, unknownWorkflowMessage } from './input-messages.ts';
import { parseWorkflow } from '../catalog/parse-workflow.ts';

const file = `{
  "3": {"class_type": "KSampler", "_meta": {"title": "KSampler", "apiinput": "seed,steps,cfg,sampler_name"}, "inputs": {
    "seed": 18446744073709551615, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "denoise": 1.0,
    "latent_image": ["5", 0]}},
  "12:6": {"class_type": "CLIPTextEncode", "_meta": {"title": "프롬프트", "apiinput": "text"}, "inputs": {"text": "cat"}},
  "10": {"class_type": "LoadImage", "_meta": {"apiinput": "image"}, "inputs": {"image": "i2i_example.jpg"}},
  "11": {"class_type": "LoadImage", "inputs": {"image": "overlay.png [input]"}},
  "5": {"class_type": "Own", "_meta": {"bridge": {"v": 1, "inputs": [
    {"name": "tiled"}, {"name": "model", "options": ["a/b.safetensors", "c.safetensors"]}, {"name": "count", "options": [1, 2]},
    {"name": "name", "required": true}, {"name": "part", "min": 0, "max": 1}]}},
    "inputs": {"tiled": false, "model": "c.safetensors", "count": 1, "name": "", "part": 0.5}}
}`;

function parsed() {
  const result = parseWorkflow({ fileName: 'x.json', text: file });
  if (!result.ok) throw new Error(result.problem);
  return result.workflow;
}

const deps: BindDeps = {
  findDefinition,
  isUploaded: (name) => name === 'u1.png',
  isSample: (name) => ['i2i_example.jpg', 'overlay.png'].includes(name),
};

function bind(values: Record<string, unknown>, overrides: Partial<BindDeps> = {}): BoundInputs {
  return bindInputs(parsed(), { '5/name': 'x', ...values }, { ...deps, ...overrides });
}

function parseValues(text: string): Record<string, unknown> {
  return parseLossless(text) as Record<string, unknown>;
}

function valueOf(key: string, value: unknown): unknown {
  const bound = bind({ [key]: value });
  if (!bound.ok) return bound.problems[0]?.message;
  const at = key.lastIndexOf('/');
  return bound.prompt[key.slice(0, at)]?.inputs[key.slice(at + 1)];
}

describe('values of a request', () => {
  it('leave the defaults of what is not sent, and never change the workflow itself', () => {
    const workflow = parsed();
    const bound = bindInputs(workflow, { '5/name': 'x', '3/steps': 5 }, deps);
    expect(bound.ok && bound.prompt['3']?.inputs).toEqual({
      seed: 18446744073709551615n,
      steps: 5,
      cfg: 7,
      sampler_name: 'euler',
      denoise: 1,
      latent_image: ['5', 0],
    });
    expect(bound.ok && bound.prompt['3']?._meta).toEqual({ title: 'KSampler' });
    expect(workflow.prompt['3']?.inputs['steps']).toBe(20);
    expect(bound.ok && bound.prompt['3']?.inputs['latent_image']).not.toBe(
      workflow.prompt['3']?.inputs['latent_image'],
    );
  });

  it.each([
    ['18446744073709551615', '18446744073709551615'],
    ['18446744073709551614', '18446744073709551614'],
    ['9007199254740993', '9007199254740993'],
    ['"9007199254740993"', '9007199254740993'],
    ['1234', '1234'],
  ])('carry a seed digit for digit from %s to the prompt', (sent, written) => {
    const bound = bind(parseValues(`{"3/seed": ${sent}}`));
    expect(bound.ok && stringifyLossless(bound.prompt)).toContain(`"seed":${written},`);
  });

  it.each([
    ['3/steps', 5, 5],
    ['3/steps', 5n, 5],
    ['3/steps', '5', 5],
    ['3/cfg', 7, 7],
    ['3/cfg', '7.25', 7.25],
    ['3/cfg', '1e1', 10],
    ['5/tiled', true, true],
    ['5/tiled', 'true', true],
    ['5/tiled', 'false', false],
    ['5/model', 'a\\b.safetensors', 'a/b.safetensors'],
    ['5/count', '2', 2],
    ['12:6/text', '멋진 고양이 🐈', '멋진 고양이 🐈'],
    ['12:6/text', '', ''],
    ['12:6/text', '123', '123'],
  ])('are taken for %s: %s', (key, value, written) => {
    expect(valueOf(key, value)).toEqual(written);
  });

  it.each([
    ['3/steps', 5.5, 'must be a whole number from 1 to 10000, not 5.5'],
    ['3/steps', '5.5', 'must be a whole number from 1 to 10000, not "5.5"'],
    ['3/steps', ' 5', 'must be a whole number'],
    ['3/steps', '', 'must be a whole number'],
    ['3/steps', true, 'must be a whole number from 1 to 10000, not true'],
    ['3/steps', 0, 'must be a whole number from 1 to 10000, not 0'],
    ['3/steps', 10001, 'not 10001'],
    ['3/steps', [5], 'not a list'],
    ['3/steps', { a: 1 }, 'not an object'],
    ['3/steps', null, 'not null'],
    ['3/steps', undefined, 'not null'],
    ['3/seed', 18446744073709551616n, 'from 0 to 18446744073709551615'],
    ['3/seed', 2 ** 64, 'from 0 to 18446744073709551615'],
    ['3/seed', -1, 'from 0 to 18446744073709551615'],
    ['3/seed', '9'.repeat(5000), 'must be a whole number'],
    ['3/cfg', Number.NaN, 'must be a number from 0 to 100'],
    ['3/cfg', 'Infinity', 'must be a number'],
    ['3/cfg', '0x10', 'must be a number'],
    ['3/sampler_name', 'best', 'must be one of "euler", '],
    ['3/sampler_name', 3, 'must be one of'],
    ['5/tiled', 1, 'must be true or false, not 1'],
    ['5/tiled', 'yes', 'must be true or false, not "yes"'],
    ['5/count', 3, 'must be one of "1", "2", not 3'],
    ['5/part', 1.01, 'must be a number from 0 to 1, not 1.01'],
    ['12:6/text', 5, 'must be text, not 5'],
    ['12:6/text', ['3', 0], 'must be text, not a list'],
    ['12:6/text', 'a\0b', 'NUL'],
    ['12:6/text', '\ud800', 'Unicode'],
    ['12:6/text', '가'.repeat(400_000), '1048576 bytes'],
    ['10/image', 'other.png', 'was not uploaded'],
    ['10/image', '../../etc/passwd', 'was not uploaded'],
    ['10/image', 'overlay.png', 'was not uploaded'],
    ['10/image', 5, 'must be text'],
    ['5/name', '', 'required'],
  ])('are refused for %s, case %#', (key, value, message) => {
    expect(valueOf(key, value)).toEqual(expect.stringContaining(message));
  });

  it("may repeat the author's default even where no backend lists it", () => {
    const none = (classType: string) => (classType === 'Own' ? undefined : findDefinition(classType));
    expect(
      bind({ '10/image': 'i2i_example.jpg', '5/model': 'c.safetensors' }, { findDefinition: none }).ok,
    ).toBe(true);
  });
});

describe('wrong requests', () => {
  it('have all their problems told at once, with what is allowed', () => {
    const bound = bindInputs(parsed(), { '6/txt': 'x', '3/steps': -1, '3/denoise': 0.5, '9/a': 1 }, deps);
    expect(bound.ok).toBe(false);
    const message = bound.ok ? '' : messageForProblems(bound.problems);
    expect(message.split('; ')).toEqual([
      '"6/txt" is not an input of this workflow (its inputs: 3/seed, 3/steps, 3/cfg, 3/sampler_name, 12:6/text, ' +
        '10/image, 5/tiled, 5/model, 5/count, 5/name, 5/part)',
      '"3/steps" must be a whole number from 1 to 10000, not -1',
      '"3/denoise" is not an input of this workflow',
      '"9/a" is not an input of this workflow',
      '"5/name" is required',
    ]);
  });

  it.each([
    '__proto__',
    'constructor',
    'toString',
    '3/__proto__',
    '__proto__/polluted',
    '3/constructor',
    '/',
    '',
    '3',
  ])('cannot reach anything by the key %j', (key) => {
    const values: Record<string, unknown> = { '5/name': 'x' };
    Object.defineProperty(values, key, { value: { polluted: 1 }, enumerable: true });
    const bound = bindInputs(parsed(), values, deps);
    expect(bound).toMatchObject({ ok: false, problems: [{ key }] });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('are answered on one line of bounded length', () => {
    const values = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${i}\n${'k'.repeat(500)}`, 1]));
    const bound = bind(values);
    const message = bound.ok ? '' : messageForProblems(bound.problems);
    expect(message).toContain('and 480 more');
    expect(message).not.toContain('\n');
    expect(message.length).toBeLessThan(4000);
  });
});

describe('files to stage', () => {
  it('are the upload that was sent, and samples for the loaders left at their default', () => {
    const bound = bind({ '10/image': 'u1.png' });
    expect(bound.ok && bound.stagedInputs).toEqual([
      { nodeId: '10', inputName: 'image', source: { kind: 'upload', savedName: 'u1.png' } },
      { nodeId: '11', inputName: 'image', source: { kind: 'sample', fileName: 'overlay.png' } },
    ]);
    expect(bound.ok && bound.prompt['10']?.inputs['image']).toBe('u1.png');
  });

  it.each([
    ['with', findDefinition],
    ['without', () => undefined],
  ])('are found %s definitions; a default that is no sample must be on the backends', (_how, find) => {
    const bound = bind({}, { findDefinition: find, isSample: (name) => name === 'i2i_example.jpg' });
    expect(bound.ok && bound.stagedInputs).toEqual([
      { nodeId: '10', inputName: 'image', source: { kind: 'sample', fileName: 'i2i_example.jpg' } },
    ]);
    expect(bound.ok && bound.prompt['11']?.inputs['image']).toBe('overlay.png [input]');
  });

  it('are never taken from a text that happens to name one', () => {
    const bound = bind(
      { '12:6/text': 'i2i_example.jpg', '10/image': 'u1.png' },
      { isSample: (n) => n === 'i2i_example.jpg' },
    );
    expect(bound.ok && bound.stagedInputs.map(({ nodeId }) => nodeId)).toEqual(['10']);
  });
});

it('an unknown workflow is answered with the known ones', () => {
  expect(unknownWorkflowMessage('x', ['a', '나'])).toBe('there is no workflow "x". Known workflows: a, 나');
  expect(unknownWorkflowMessage('x', [])).toBe('there is no workflow "x": none is published yet');
});

describe('assets', () => {
  const id = 'd02302bd-c920-4608-a17a-22e2008f47c4';
  const savedName = 'u2.png';
  const findAsset = (asset: string) => (asset === id ? { savedName, contentType: 'image/png' } : undefined);
  const staged = { nodeId: '10', inputName: 'image', source: { kind: 'upload', savedName, assetId: id } };

  it.each([id, id.toUpperCase(), { asset: id }, { __type: 'core/ASSET', info: { id, file_path: 'x' } }])(
    'are named by %j, and staged under their saved name',
    (value) => {
      const bound = bind({ '10/image': value }, { findAsset });
      expect(bound).toMatchObject({ ok: true, prompt: { '10': { inputs: { image: savedName } } } });
      expect(bound.ok && bound.stagedInputs).toContainEqual(staged);
    },
  );

  it('that are not there are said to be missing', () => {
    const bound = bind({ '10/image': { asset: id } }, { findAsset: () => undefined });
    expect(bound).toEqual({
      ok: false,
      problems: [
        {
          key: '10/image',
          message: `there is no asset ${id} (any more): upload the image again`,
          isMissingAsset: true,
        },
      ],
    });
  });

  it.each([{ asset: 'x' }, { asset: id, more: 1 }, { info: { id } }, {}, 5])(
    'are not named by %j',
    (value) => {
      expect(bind({ '10/image': value }, { findAsset })).toMatchObject({ ok: false });
    },
  );

  it('mean nothing to the compatibility API, nor in an input that takes no file', () => {
    expect(bind({ '10/image': id })).toMatchObject({ ok: false });
    expect(bind({ '12:6/text': id }, { findAsset })).toMatchObject({
      ok: true,
      prompt: { '12:6': { inputs: { text: id } } },
    });
  });

  it('of the wrong kind are refused, as uploads are', () => {
    const sound = () => ({ savedName: 'u3.mp3', contentType: 'audio/mpeg' });
    const message = 'must be a file of kind image, not audio/mpeg';
    const problems = [{ key: '10/image', message }];
    expect(bind({ '10/image': id }, { findAsset: sound })).toEqual({ ok: false, problems });
    const uploads = { isUploaded: () => true, contentTypeOf: () => 'audio/mpeg' };
    expect(bind({ '10/image': 'u3.mp3' }, uploads)).toEqual({ ok: false, problems });
  });
});
