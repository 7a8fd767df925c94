import { describe, expect, it } from 'vitest';

import { parseWorkflow } from './parse-workflow.ts';
import type { PublishedWorkflow } from './published-workflow.ts';

function parseOk(text: string): PublishedWorkflow {
  const parsed = parseWorkflow({ fileName: 'x.json', text });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.workflow;
}

function keysOf(text: string): string[] {
  return parseOk(text).inputs.map((input) => input.key);
}

const node = (inputs: string, meta = '{}', classType = 'KSampler') =>
  `{"class_type": "${classType}", "inputs": ${inputs}, "_meta": ${meta}}`;

describe('a workflow file', () => {
  it('offers the inputs that `apiinput` names, trimmed, and nothing else', () => {
    const workflow = parseOk(
      `{"3": ${node('{"seed": 1, "steps": 20, "cfg": 7.5}', '{"title": "Sampler", "apiinput": " seed , ,steps,"}')}}`,
    );
    expect(workflow.alias).toBe('x.json');
    expect(workflow.problems).toEqual([]);
    expect(workflow.inputs).toEqual([
      {
        key: '3/seed',
        nodeId: '3',
        inputName: 'seed',
        title: 'Sampler',
        classType: 'KSampler',
        default: 1,
        writtenAsFloat: false,
        mark: { name: 'seed' },
        descimages: [],
      },
      expect.objectContaining({ key: '3/steps', default: 20 }),
    ]);
  });

  it('joins the structured marks with the list, and takes those that only it names', () => {
    const meta = `{"apiinput": "seed", "bridge": {"v": 1, "output": true, "inputs": [
      {"name": "cfg", "label": "CFG", "min": 1}, {"name": "seed", "description": "씨앗"}]}}`;
    const workflow = parseOk(`{"3": ${node('{"seed": 1, "cfg": 7}', meta)}}`);
    expect(workflow.inputs.map((input) => input.mark)).toEqual([
      { name: 'seed', description: '씨앗' },
      { name: 'cfg', label: 'CFG', min: 1 },
    ]);
    expect(workflow.outputNodes).toEqual(['3']);
  });

  it('keeps the order of the file where node ids look like numbers, and `order` before that', () => {
    const marked = (extra = '') => node('{"text": "a"}', `{"apiinput": "text"${extra}}`);
    const first = ', "bridge": {"v": 1, "inputs": [{"name": "text", "order": 1}]}';
    expect(
      keysOf(`{"10": ${marked()}, "6": ${marked()}, "12:3": ${marked()}, "1": ${marked(first)}}`),
    ).toEqual(['1/text', '10/text', '6/text', '12:3/text']);
  });

  it('reads ids of subgraphs, and ids with a slash', () => {
    const marked = node('{"text": "a"}', '{"apiinput": "text"}');
    const [inner, odd] = parseOk(`{"12:3:4": ${marked}, "a/b": ${marked}}`).inputs;
    expect(inner).toMatchObject({ key: '12:3:4/text', nodeId: '12:3:4', inputName: 'text' });
    expect(odd).toMatchObject({ key: 'a/b/text', nodeId: 'a/b', inputName: 'text' });
  });

  it.each([
    ['18446744073709551615', 18446744073709551615n, false],
    ['7.0', 7, true],
    ['7', 7, false],
    ['1e2', 100, true],
    ['"한국어"', '한국어', false],
    ['true', true, false],
    ['null', null, false],
  ])('keeps the default %s exactly', (written, value, writtenAsFloat) => {
    const [input] = parseOk(`{"3": ${node(`{"v": ${written}}`, '{"apiinput": "v"}')}}`).inputs;
    expect(input).toMatchObject({ default: value, writtenAsFloat });
  });

  it('uses the class where a node has no title, and bears a byte order mark', () => {
    const [input] = parseOk(`\uFEFF{"3": ${node('{"v": 1}', '{"title": "", "apiinput": "v"}')}}`).inputs;
    expect(input?.title).toBe('KSampler');
  });

  it('reads one description image or several, and no path', () => {
    const withImages = (descimage: string) =>
      parseOk(`{"3": ${node('{"v": 1}', `{"apiinput": "v", "descimage": ${descimage}}`)}}`);
    expect(withImages('"a.png"').inputs[0]?.descimages).toEqual(['a.png']);
    expect(withImages('["a.png", "b.png"]').inputs[0]?.descimages).toEqual(['a.png', 'b.png']);
    const refused = withImages('["../a.png", "C:\\\\a.png", 3]');
    expect(refused.inputs[0]?.descimages).toEqual([]);
    expect(refused.problems).toHaveLength(3);
  });
});

describe('a mark that cannot be offered', () => {
  it.each([
    ['an input that does not exist', '{}', 'has no such input'],
    ['a name that every object has', '{}', 'has no such input', 'constructor'],
    ['a linked input', '{"v": ["3", 0]}', 'another node'],
    ['a list', '{"v": {"__value__": [1, 2]}}', 'a list or an object'],
    ['a name with a slash', '{"a/v": 1}', '"/"', 'a/v'],
  ])('is told and left out: %s', (_what, inputs, told, name = 'v') => {
    const workflow = parseOk(`{"3": ${node(inputs, `{"apiinput": "${name}"}`)}}`);
    expect(workflow.inputs).toEqual([]);
    expect(workflow.problems).toEqual([expect.stringContaining(told)]);
    expect(workflow.problems[0]).toContain('node "3"');
  });

  it.each([
    ['{"v": 2}', '"v": 1'],
    ['"yes"', '"v": 1'],
    ['{"v": 1, "inputs": [{"name": "seed", "min": "x"}, {"name": "steps"}]}', 'bridge.inputs.0.min'],
    ['{"v": 1, "inputs": {}}', 'must be a list'],
    ['{"v": 1, "output": "yes"}', 'bridge.output'],
  ])('never takes the others with it: bridge %s', (bridge, told) => {
    const workflow = parseOk(
      `{"3": ${node('{"seed": 1, "steps": 2}', `{"apiinput": "steps", "bridge": ${bridge}}`)}}`,
    );
    expect(workflow.inputs.map((input) => input.key)).toEqual(['3/steps']);
    expect(workflow.problems).toEqual([expect.stringContaining(told)]);
  });
});

describe('a file that is no workflow', () => {
  it.each([
    ['{"nodes": [], "links": [], "version": 0.4}', 'Export (API)'],
    ['{"3": {"inputs": {}}}', 'no class_type'],
    ['{"3": {"class_type": "A", "inputs": []}}', 'not an object'],
    ['{"prompt": "x"}', '"prompt" is not a node'],
    ['{}', 'no nodes'],
    ['[]', 'not a workflow'],
    ['null', 'not a workflow'],
    ['{"3": {"class_type": "A"', 'not valid JSON'],
    ['', 'not valid JSON'],
    ['['.repeat(200_000), 'not valid JSON'],
    ['{"__proto__": {"class_type": "A", "inputs": {}}}', 'not allowed'],
    ['{"3": {"class_type": "A", "inputs": {"__proto__": {"x": 1}}}}', 'not allowed'],
  ])('is refused with the reason: %.40s', (text, told) => {
    const parsed = parseWorkflow({ fileName: 'x.json', text });
    expect(parsed).toEqual({ ok: false, problem: expect.stringContaining(told) });
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it('may still lack a linked node: that is told, and the rest stands', () => {
    expect(parseOk(`{"3": ${node('{"model": ["4", 0]}')}}`).problems).toEqual([
      'node "3": input "model" is linked to a node that is not in the file',
    ]);
  });
});

it('reads a mark whose limit is beyond 2^53, as a seed has one', () => {
  const marks = '{"v": 1, "inputs": [{"name": "seed", "min": 0, "max": 18446744073709551615}]}';
  const text = `{"3": {"class_type": "KSampler", "inputs": {"seed": 5}, "_meta": {"bridge": ${marks}}}}`;
  const parsed = parseWorkflow({ fileName: 'x.json', text });
  if (!parsed.ok) throw new Error(parsed.problem);
  expect(parsed.workflow.problems).toEqual([]);
  expect(parsed.workflow.inputs[0]?.mark).toEqual({ name: 'seed', min: 0, max: 2 ** 64 });
});
