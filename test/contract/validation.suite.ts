import { expect, test } from 'vitest';
import { asRecord, type ComfyServer } from './_comfy-server.ts';
import { fresh, plain } from './_graphs.ts';
import { errorsOf, historyOf, refusal, runGraph, submit } from './_submit.ts';

const FAILED = {
  type: 'prompt_outputs_failed_validation',
  message: 'Prompt outputs failed validation',
  details: '',
  extra_info: {},
};

/** What is refused, what is accepted in part, and in which words. */
export function validation(server: ComfyServer): void {
  test('an unknown class', async () => {
    const prompt = { ...plain(), '9': { class_type: 'NoSuchNode', inputs: {} } };
    expect(await refusal(server, { prompt })).toMatchObject({
      status: 400,
      error: {
        type: 'invalid_prompt',
        message: 'Cannot execute because node NoSuchNode does not exist.',
        details: "Node ID '#9'",
        extra_info: {},
      },
      nodeErrors: {},
    });
  });

  test('a node without a class', async () => {
    const { status, error } = await refusal(server, { prompt: { '1': {} } });
    expect(status).toBe(400);
    expect(error).toMatchObject({ type: 'invalid_prompt', details: "Node ID '#1'" });
    expect(error.message).toBe('Cannot execute because a node is missing the class_type property.');
  });

  test('no prompt, an empty prompt, a prompt without outputs', async () => {
    expect((await refusal(server, {})).error).toEqual({
      type: 'no_prompt',
      message: 'No prompt provided',
      details: 'No prompt provided',
      extra_info: {},
    });
    expect((await refusal(server, '"x"')).error.type).toBe('no_prompt');
    expect((await refusal(server, { prompt: [] })).error.type).toBe('prompt_no_outputs');
    const prompt = { '1': { class_type: 'LoadImage', inputs: { image: 'example.png' } } };
    expect((await refusal(server, { prompt })).error).toEqual({
      type: 'prompt_no_outputs',
      message: 'Prompt has no outputs',
      details: '',
      extra_info: {},
    });
  });

  test('bad values: not a number, below the least, not a choice', async () => {
    const inputs = { image: ['1', 0], upscale_method: 'bogus', width: -5, height: 'abc', crop: 'disabled' };
    const prompt = { ...plain(), '2': { class_type: 'ImageScale', inputs } };
    const { status, error, nodeErrors } = await refusal(server, { prompt });
    expect({ status, error }).toEqual({ status: 400, error: FAILED });
    expect(Object.keys(nodeErrors)).toEqual(['2']);
    expect(nodeErrors['2']).toMatchObject({ dependent_outputs: ['3'], class_type: 'ImageScale' });
    const size = ['INT', { default: 512, min: 0, max: 16384, step: 1 }];
    const literal = "invalid literal for int() with base 10: 'abc'";
    expect(errorsOf(nodeErrors, '2')).toEqual([
      {
        type: 'invalid_input_type',
        message: 'Failed to convert an input value to a INT value',
        details: `height, abc, ${literal}`,
        extra_info: {
          input_name: 'height',
          input_config: size,
          received_value: 'abc',
          exception_message: literal,
        },
      },
      {
        type: 'value_not_in_list',
        message: 'Value not in list',
        details: "upscale_method: 'bogus' not in ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos']",
        extra_info: {
          input_name: 'upscale_method',
          input_config: [['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'], {}],
          received_value: 'bogus',
        },
      },
      {
        type: 'value_smaller_than_min',
        message: 'Value -5 smaller than min of 0',
        details: 'width',
        extra_info: { input_name: 'width', input_config: size, received_value: -5 },
      },
    ]);
  });

  test.each([
    [
      null,
      "width, None, int() argument must be a string, a bytes-like object or a real number, not 'NoneType'",
    ],
    [{}, "width, {}, int() argument must be a string, a bytes-like object or a real number, not 'dict'"],
    ['5.5', "width, 5.5, invalid literal for int() with base 10: '5.5'"],
  ])('a whole number cannot be %j', async (width, details) => {
    const prompt = plain();
    Object.assign(prompt['1']?.inputs ?? {}, { width });
    const { nodeErrors } = await refusal(server, { prompt });
    expect(errorsOf(nodeErrors, '1')[0]).toMatchObject({ type: 'invalid_input_type', details });
  });

  test('a float above the most', async () => {
    const prompt = {
      ...plain(),
      '2': {
        class_type: 'ImageBlend',
        inputs: { image1: ['1', 0], image2: ['1', 0], blend_factor: 2, blend_mode: 'normal' },
      },
    };
    const { nodeErrors } = await refusal(server, { prompt });
    expect(errorsOf(nodeErrors, '2')[0]).toMatchObject({
      type: 'value_bigger_than_max',
      message: 'Value 2.0 bigger than max of 1.0',
      details: 'blend_factor',
    });
  });

  test('values are converted, and the history shows them converted', async () => {
    using socket = await server.connect();
    const prompt = plain();
    Object.assign(prompt['1']?.inputs ?? {}, { width: '40', height: 24.9, batch_size: true });
    const { entry } = await runGraph(server, socket, prompt);
    const graph = asRecord((entry.prompt as unknown[])[2]);
    expect(asRecord(graph['1']).inputs).toMatchObject({ width: 40, height: 24, batch_size: 1 });
  });

  test('an input file that is not there', async () => {
    const prompt = {
      '1': { class_type: 'LoadImage', inputs: { image: 'does-not-exist.png' } },
      '2': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    };
    const { status, error, nodeErrors } = await refusal(server, { prompt });
    expect({ status, error }).toEqual({ status: 400, error: FAILED });
    expect(nodeErrors).toEqual({
      '1': {
        errors: [
          {
            type: 'custom_validation_failed',
            message: 'Custom validation failed for node',
            details: 'image - Invalid image file: does-not-exist.png',
            extra_info: { input_name: 'image' },
          },
        ],
        dependent_outputs: ['2'],
        class_type: 'LoadImage',
      },
    });
  });

  test('links: to nowhere, to a missing output, of the wrong type, malformed', async () => {
    const prompt = (images: unknown) => ({
      prompt: { ...plain(), '3': { class_type: 'SaveImage', inputs: { images, filename_prefix: 'x' } } },
    });
    const types = [];
    for (const link of [['99', 0], ['1', 3], ['1']])
      types.push(errorsOf((await refusal(server, prompt(link))).nodeErrors, '3')[0]);
    expect(types).toMatchObject([
      { type: 'exception_during_validation', details: "'99'", extra_info: { exception_type: 'KeyError' } },
      {
        type: 'exception_during_validation',
        details: 'tuple index out of range',
        extra_info: { exception_type: 'IndexError' },
      },
      { type: 'bad_linked_input', details: 'images', extra_info: { received_value: ['1'] } },
    ]);
    const wrong = {
      '1': { class_type: 'LoadImage', inputs: { image: 'example.png' } },
      '3': { class_type: 'SaveImage', inputs: { images: ['1', 1], filename_prefix: 'x' } },
    };
    expect(errorsOf((await refusal(server, { prompt: wrong })).nodeErrors, '3')[0]).toMatchObject({
      type: 'return_type_mismatch',
      details: 'images, received_type(MASK) mismatch input_type(IMAGE)',
    });
  });

  test('a broken link further up is blamed on the node that has it', async () => {
    const prompt = { ...plain(), '2': { class_type: 'ImageInvert', inputs: { image: ['99', 0] } } };
    const { error, nodeErrors } = await refusal(server, { prompt });
    expect(error.details).toBe('');
    expect(errorsOf(nodeErrors, '2')[0]).toMatchObject({
      type: 'exception_during_inner_validation',
      details: "'99'",
    });
  });

  test('a node without inputs', async () => {
    const { error, nodeErrors } = await refusal(server, { prompt: { '1': { class_type: 'SaveImage' } } });
    expect(error.details).toBe("Exception when validating node: 'inputs'");
    expect(errorsOf(nodeErrors, '1')[0]).toMatchObject({
      type: 'exception_during_validation',
      extra_info: { exception_type: 'KeyError' },
    });
  });

  test('one bad output of two: accepted with its errors, and the rest runs', async () => {
    using socket = await server.connect();
    const prompt = { ...plain(), '5': { class_type: 'SaveImage', inputs: { filename_prefix: 'x' } } };
    const { status, json } = await server.post('/prompt', { prompt, client_id: socket.clientId });
    expect(status).toBe(200);
    expect(json?.node_errors).toEqual({
      '5': {
        errors: [
          {
            type: 'required_input_missing',
            message: 'Required input is missing',
            details: 'images',
            extra_info: { input_name: 'images' },
          },
        ],
        dependent_outputs: ['5'],
        class_type: 'SaveImage',
      },
    });
    const promptId = String(json?.prompt_id);
    await socket.untilDone(promptId);
    const entry = await historyOf(server, promptId);
    expect((entry.prompt as unknown[])[4]).toEqual(['3']);
    expect(Object.keys(asRecord(entry.outputs))).toEqual(['3']);
  });

  test('only the outputs asked for run', async () => {
    using socket = await server.connect();
    const prompt = { ...plain(), '4': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } } };
    const { outputs } = await runGraph(server, socket, prompt, { partial_execution_targets: ['4'] });
    expect(Object.keys(outputs)).toEqual(['4']);
    expect((await refusal(server, { prompt, partial_execution_targets: ['1'] })).error.type).toBe(
      'prompt_no_outputs',
    );
  });

  test('a wrong choice of a newer node is accepted, and fails when it runs', async () => {
    using socket = await server.connect();
    const inputs = { image1: ['1', 0], image2: ['1', 0], blend_factor: 0.5, blend_mode: 'bogus' };
    const { entry } = await runGraph(server, socket, {
      ...plain(),
      '2': { class_type: 'ImageBlend', inputs },
    });
    expect(entry.status).toMatchObject({ status_str: 'error', completed: false });
  });

  test('numbers count up, and one of the caller is kept', async () => {
    const first = await server.post('/prompt', { prompt: plain(fresh()) });
    const second = await server.post('/prompt', { prompt: plain(fresh()) });
    expect(Number(second.json?.number)).toBe(Number(first.json?.number) + 1);
    const own = await server.post('/prompt', { prompt: plain(fresh()), number: 7.5 });
    expect(own.json?.number).toBe(7.5);
    using socket = await server.connect();
    await socket.untilDone(await submit(server, plain(), { client_id: socket.clientId, number: 1e9 }));
  });
}
