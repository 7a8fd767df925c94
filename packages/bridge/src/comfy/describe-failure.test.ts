import type { ApiPrompt } from '@comfy-bridge/protocol';
import { describe, expect, it } from 'vitest';
import { readRecording } from './_recordings.ts';
import { cleanReason } from './clean-reason.ts';
import type { ExecutionError } from './comfy-messages.ts';
import { toJobError, toJobErrorFromRejection } from './describe-failure.ts';
import { parsePromptRejection, type PromptRejection } from './prompt-rejection.ts';

const failure = (message: string, exceptionType = 'RuntimeError'): ExecutionError => ({
  nodeId: '3',
  nodeType: 'KSampler',
  exceptionType,
  message,
});

function rejection(error: object, node_errors: object = {}): PromptRejection {
  const parsed = parsePromptRejection({ error, node_errors });
  if (parsed === undefined) throw new Error('not a rejection');
  return parsed;
}

const failedValidation = {
  type: 'prompt_outputs_failed_validation',
  message: 'Prompt outputs failed validation',
  details: '',
  extra_info: {},
};

describe('cleanReason', () => {
  it.each([
    ['/srv/ComfyUI/custom_nodes/pack/__init__.py is broken', '[path] is broken'],
    ["No such file: '/home/ann lee/My Models/flux.safetensors'", "No such file: 'flux.safetensors'"],
    ['cannot open /home/ann/models/flux.safetensors: denied', 'cannot open flux.safetensors: denied'],
    ['see ~/comfy/log', 'see [path]'],
    [String.raw`cannot load C:\Users\Ann Lee\ComfyUI\models\x.ckpt now`, 'cannot load x.ckpt now'],
    ['cannot load D:/AI/ComfyUI/nodes.py', 'cannot load [path]'],
    [String.raw`share \\nas01\models\sd\x.pt is gone`, 'share x.pt is gone'],
    [String.raw`in custom_nodes\pack\run.py`, 'in [path]'],
    ['in custom_nodes/pack/run.py', 'in [path]'],
    ['file:///etc/passwd', '[address]'],
    ['GET http://user:pw@10.0.0.5:8188/view?x=1 failed', 'GET [address] failed'],
    ['cannot connect to gpu-1:8188', 'cannot connect to [address]'],
    ['cannot connect to host gpu1.lan:8188 ssl:default', 'cannot connect to host [address] ssl:default'],
    ["HTTPConnectionPool(host='gpu1', port=8188): refused", 'HTTPConnectionPool([address]): refused'],
    ['from 192.168.0.17', 'from [address]'],
    ['listening on [::1]:8188', 'listening on [address]'],
    ['\u001b[31mred\u001b[0m\u0000 and\tplain\r\nlines', 'red and plain lines'],
  ])('takes paths, addresses and control characters out of %j', (text, clean) => {
    expect(cleanReason(text)).toBe(clean);
  });

  it.each([
    '6/width: Value -5 smaller than min of 0',
    '12:3/text is 1/2 of what and/or who needs',
    'Expected size 64 but got size 128 for tensor number 1 (ratio 16:9)',
    'mat1 and mat2 shapes cannot be multiplied (77x2048 and 768x320)',
    "'NoneType' object has no attribute 'shape'",
    'torch.float16 is not supported, version 2.13.0+cpu',
  ])('leaves %j as it is', (text) => {
    expect(cleanReason(text)).toBe(text);
  });

  it('drops a traceback and keeps what it ends with', () => {
    const text = [
      'Node failed:',
      'Traceback (most recent call last):',
      '  File "/srv/ComfyUI/execution.py", line 496, in execute',
      '    result = f(**inputs)',
      '             ^^^^^^^^^^^',
      'ValueError: bad seed',
    ].join('\n');
    expect(cleanReason(text)).toBe('Node failed: ValueError: bad seed');
    expect(cleanReason('bad\n  File "nodes.py", line 3, in run\n    x()\n    ~~^^')).toBe('bad');
  });

  it('is at most 500 characters long, and quick on anything', () => {
    expect(cleanReason('word '.repeat(1000))).toHaveLength(500);
    const started = performance.now();
    for (const text of [
      '/'.repeat(1e6),
      'a/'.repeat(1e6),
      '\\\\'.repeat(1e6),
      "'/".repeat(1e6),
      'a.'.repeat(1e6),
      'C:\\a '.repeat(1e6),
      '1.'.repeat(1e6),
      ':'.repeat(1e6),
      ' '.repeat(1e6),
      '['.repeat(1e6),
    ]) {
      cleanReason(text);
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('toJobError', () => {
  it("gives ComfyUI's own reason with the node's title", () => {
    const { prompt, messages } = readRecording('error');
    const message = messages.find(({ type }) => type === 'execution-error');
    if (message?.type !== 'execution-error') throw new Error('no error recorded');
    expect(toJobError(message.error, prompt)).toEqual({
      code: 'node_execution_error',
      message: 'Fail (node 3): boom',
      node_id: '3',
      class_type: 'TraceFail',
    });
    expect(toJobError(message.error).message).toBe('TraceFail (node 3): boom');
  });

  it.each([
    ['Allocation on device 0 would exceed allowed memory. (out of memory)', 'torch.OutOfMemoryError'],
    ['CUDA out of memory. Tried to allocate 2.00 GiB', 'RuntimeError'],
    ['Allocation on device', 'torch.cuda.OutOfMemoryError'],
    ['HIP out of memory', 'RuntimeError'],
    ["DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes", 'RuntimeError'],
    ['', 'MemoryError'],
  ])('recognises that memory ran out: %j', (message, type) => {
    expect(toJobError(failure(message, type)).code).toBe('out_of_memory');
  });

  it('names the exception where its text alone says little', () => {
    expect(toJobError(failure("'model'", 'KeyError')).message).toBe("KSampler (node 3): KeyError: 'model'");
    expect(toJobError(failure('', 'safetensors_rust.SafetensorError')).message).toContain('SafetensorError');
    expect(toJobError({ nodeId: null, nodeType: null, exceptionType: '', message: '' }).message).toBe(
      'no reason was given',
    );
  });

  it('leaks no path that hides in a title or in a reason', () => {
    const prompt: ApiPrompt = {
      '3': { class_type: 'X', inputs: {}, _meta: { title: '/home/ann/secret.py' } },
    };
    const { message } = toJobError(failure('at /home/ann/x.py on 10.1.2.3:99'), prompt);
    expect(message).not.toMatch(/ann|10\.1/);
  });
});

describe('toJobErrorFromRejection', () => {
  // As v0.3.64 answers for a width of -5, a height of 'abc' and an unknown method.
  const badValues = {
    '2': {
      errors: [
        {
          type: 'invalid_input_type',
          message: 'Failed to convert an input value to a INT value',
          details: "height, abc, invalid literal for int() with base 10: 'abc'",
          extra_info: { input_name: 'height' },
        },
        {
          type: 'value_not_in_list',
          message: 'Value not in list',
          details: "upscale_method: 'bogus' not in ['nearest-exact', 'bilinear']",
          extra_info: { input_name: 'upscale_method' },
        },
        {
          type: 'value_smaller_than_min',
          message: 'Value -5 smaller than min of 0',
          details: 'width',
          extra_info: { input_name: 'width' },
        },
      ],
      dependent_outputs: ['4'],
      class_type: 'ImageScale',
    },
  };

  it('names each input by our key', () => {
    expect(toJobErrorFromRejection(rejection(failedValidation, badValues))).toEqual({
      code: 'invalid_workflow',
      message:
        "2/height: Failed to convert an input value to a INT value; 2/upscale_method: Value not in list: 'bogus'; 2/width: Value -5 smaller than min of 0",
      node_id: '2',
      class_type: 'ImageScale',
    });
  });

  it('says which file or input is missing', () => {
    const errors = [
      {
        type: 'custom_validation_failed',
        message: 'Custom validation failed for node',
        details: 'image - Invalid image file: does-not-exist.png',
        extra_info: { input_name: 'image' },
      },
      {
        type: 'required_input_missing',
        message: 'Required input is missing',
        details: 'mask',
        extra_info: { input_name: 'mask' },
      },
    ];
    const { message } = toJobErrorFromRejection(
      rejection(failedValidation, { '1': { errors, class_type: 'LoadImage' } }),
    );
    expect(message).toBe(
      '1/image: Invalid image file: does-not-exist.png; 1/mask: Required input is missing',
    );
  });

  it('says which node class a machine lacks', () => {
    const error = {
      type: 'invalid_prompt',
      message: 'Cannot execute because node NoSuchNode does not exist.',
      details: "Node ID '#9'",
      extra_info: {},
    };
    const prompt: ApiPrompt = { '9': { class_type: 'NoSuchNode', inputs: {} } };
    expect(toJobErrorFromRejection(rejection(error), prompt)).toEqual({
      code: 'invalid_workflow',
      message: 'node 9: Cannot execute because node NoSuchNode does not exist.',
      node_id: '9',
      class_type: 'NoSuchNode',
    });
  });

  it('never shows a traceback of the validation', () => {
    const extra_info = {
      exception_type: 'KeyError',
      traceback: ['  File "/srv/ComfyUI/execution.py", line 1010, in validate_prompt\n'],
    };
    const error = {
      type: 'exception_during_validation',
      message: 'Exception when validating node',
      details: "'inputs'",
      extra_info,
    };
    const parsed = rejection(failedValidation, {
      '1': { errors: [error], dependent_outputs: ['1'], class_type: 'SaveImage' },
    });
    expect(JSON.stringify([parsed, toJobErrorFromRejection(parsed)])).not.toMatch(/srv|traceback/);
    expect(toJobErrorFromRejection(parsed).message).toBe('node 1: Exception when validating node');
  });

  it('reads the shortest rejections, of early versions too', () => {
    expect(
      toJobErrorFromRejection(
        rejection({ type: 'prompt_no_outputs', message: 'Prompt has no outputs', details: '' }),
      ).message,
    ).toBe('Prompt has no outputs');
    expect(parsePromptRejection({ error: 'no prompt', node_errors: [] })).toMatchObject({
      message: 'no prompt',
      nodeErrors: [],
    });
    expect(parsePromptRejection({ detail: 'nope' })).toBeUndefined();
    expect(parsePromptRejection('x')).toBeUndefined();
  });

  it('tells the first of many errors', () => {
    const errors = Array.from({ length: 40 }, (_, index) => ({
      type: 't',
      message: `wrong ${index}`,
      details: '',
      extra_info: { input_name: `i${index}` },
    }));
    const { message } = toJobErrorFromRejection(
      rejection(failedValidation, { '1': { errors, class_type: 'X' } }),
    );
    expect(message).toMatch(/^1\/i0: wrong 0; .*; and 35 more$/);
  });
});

describe('the place of an error', () => {
  const place = (nodeId: string, nodeType: string, prompt?: ApiPrompt) => {
    const { node_id, class_type } = toJobError({ ...failure('x'), nodeId, nodeType }, prompt);
    return [node_id, class_type];
  };

  it('is told as the caller wrote it', () => {
    const prompt: ApiPrompt = { 'a/b': { class_type: 'KSampler //Inspire', inputs: {} } };
    expect(place('a/b', 'KSampler //Inspire', prompt)).toEqual(['a/b', 'KSampler //Inspire']);
  });

  it.each(['5', '5.0.0.1', '12:3'])('keeps the id %s of a node made at run time', (id) => {
    expect(place(id, 'KSampler')).toEqual([id, 'KSampler']);
  });

  it('holds no path and no address, and is short', () => {
    expect(place('/home/ann/x.py', 'http://10.0.0.5:8188/x')).toEqual(['[path]', '[address]']);
    expect(place('x'.repeat(5_000), ' ')).toEqual(['x'.repeat(200), null]);
  });

  it('is never all there is to say', () => {
    const { message } = toJobErrorFromRejection(rejection({ type: ' ', message: '\u0000' }));
    expect(message).toBe('the prompt was refused');
  });
});
