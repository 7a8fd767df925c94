import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from './object-info.ts';

const node = (required: unknown, rest: object = {}): unknown => ({
  input: { required },
  output: ['IMAGE', 'MASK'],
  display_name: 'A Node',
  output_node: false,
  ...rest,
});
const inputOf = (spec: unknown): unknown =>
  parseObjectInfo({ N: node({ x: spec }) })
    .get('N')
    ?.inputs.get('x');

describe('parseObjectInfo', () => {
  it('brings the combos of both node generations into one form', () => {
    expect(inputOf([['euler', 'heun'], { tooltip: 'how' }])).toEqual({
      type: 'COMBO',
      required: true,
      options: ['euler', 'heun'],
      tooltip: 'how',
    });
    expect(inputOf(['COMBO', { multiselect: false, options: ['x', '-x'] }])).toEqual({
      type: 'COMBO',
      required: true,
      options: ['x', '-x'],
    });
  });

  it('knows no options of a combo that asks a route for them', () => {
    const remote = {
      image_upload: true,
      image_folder: 'output',
      remote: { route: '/internal/files/output' },
    };
    expect(inputOf(['COMBO', remote])).toEqual({ type: 'COMBO', required: true, editor: { remote: true } });
  });

  it('marks inputs that take a file of the input folder', () => {
    expect(inputOf([['a.png'], { image_upload: true }])).toMatchObject({
      upload: 'image',
      options: ['a.png'],
    });
    expect(inputOf(['COMBO', { options: [], video_upload: true }])).toMatchObject({
      upload: 'video',
      options: [],
    });
    expect(inputOf([[], { audio_upload: true }])).toMatchObject({ upload: 'audio' });
  });

  it('keeps limits and defaults of numbers, down to false and 0', () => {
    expect(inputOf(['FLOAT', { default: 0, min: -1, max: 100, step: 0.1, round: 0.01 }])).toEqual({
      type: 'FLOAT',
      required: true,
      default: 0,
      min: -1,
      max: 100,
      step: 0.1,
      editor: { round: 0.01 },
    });
    expect(inputOf(['BOOLEAN', { default: false }])).toMatchObject({ default: false });
    expect(inputOf(['FLOAT', { max: null }])).toEqual({ type: 'FLOAT', required: true });
    expect(inputOf(['STRING', { multiline: true }])).toMatchObject({ multiline: true });
  });

  it('keeps what decides how the editor saves a value, and nothing where that is the usual', () => {
    const editorOf = (options: object) => inputOf(['INT', options]);
    expect(editorOf({ control_after_generate: true })).toMatchObject({ editor: { control: true } });
    expect(editorOf({ control_after_generate: 'after' })).toMatchObject({ editor: { control: true } });
    expect(editorOf({ control_after_generate: false })).toMatchObject({ editor: { control: false } });
    expect(editorOf({ forceInput: true, dynamicPrompts: true, widgetType: 'COLOR' })).toMatchObject({
      editor: { forceInput: true, dynamicPrompts: true, widgetType: 'COLOR' },
    });
    expect(inputOf(['COMBO', { remote: { route: '/x' }, multi_select: { chip: true } }])).toMatchObject({
      editor: { remote: true, multiSelect: true },
    });
    expect(editorOf({ forceInput: false, dynamicPrompts: false, remote: null })).not.toHaveProperty('editor');
  });

  it('lists inputs whose names are whole numbers in the order that the node says', () => {
    const input = {
      required: { '2': ['INT'], a: ['INT'], '1': ['INT'] },
      optional: { z: ['INT'], b: ['INT'] },
    };
    const definitions = parseObjectInfo({ N: { input, input_order: { required: ['a', '2', '1', 'gone'] } } });
    expect([...(definitions.get('N')?.inputs.keys() ?? [])]).toEqual(['a', '2', '1', 'z', 'b']);
  });

  it('reads required and optional inputs, outputs and what is an output node', () => {
    const definitions = parseObjectInfo({
      SaveImage: {
        input: {
          required: { images: ['IMAGE'] },
          optional: { mask: ['MASK', {}] },
          hidden: { prompt: 'PROMPT' },
        },
        output: [],
        display_name: 'Save Image',
        output_node: true,
      },
      Lists: { input: {}, output: [['a', 'b'], 'INT'], display_name: null },
    });
    const save = definitions.get('SaveImage');
    expect(save).toMatchObject({ displayName: 'Save Image', outputNode: true, outputs: [] });
    expect([...(save?.inputs ?? [])].map(([name, { required }]) => [name, required])).toEqual([
      ['images', true],
      ['mask', false],
    ]);
    expect(definitions.get('Lists')).toMatchObject({
      displayName: 'Lists',
      outputNode: false,
      outputs: ['COMBO', 'INT'],
    });
  });

  it('leaves out what is malformed and keeps the rest', () => {
    const definitions = parseObjectInfo({
      A: null,
      B: 'x',
      C: { input: null },
      D: [],
      Good: node({
        a: null,
        b: [],
        c: [5],
        d: 'INT',
        e: ['INT', 'no options'],
        f: [[1, null, { key: 'x' }, true]],
      }),
    });
    expect([...definitions.keys()]).toEqual(['Good']);
    expect([...(definitions.get('Good')?.inputs ?? [])]).toEqual([
      ['e', { type: 'INT', required: true }],
      ['f', { type: 'COMBO', required: true, options: [1, true] }],
    ]);
    expect(parseObjectInfo(undefined).size).toBe(0);
  });

  it('takes any class and input name for what it is', () => {
    const definitions = parseObjectInfo(
      JSON.parse(
        '{"__proto__":{"input":{"required":{"constructor":["INT",{"__proto__":{"default":1}}]}}},"toString":{"input":{}}}',
      ),
    );
    expect([...definitions.keys()]).toEqual(['__proto__', 'toString']);
    expect(definitions.get('__proto__')?.inputs.get('constructor')).toEqual({ type: 'INT', required: true });
    expect(definitions.get('constructor')).toBeUndefined();
  });
});
