import { describe, expect, it } from 'vitest';
import { readRecording, recordingNames } from './_recordings.ts';
import { parseComfyMessage } from './parse-comfy-message.ts';

const u32 = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => buffer.writeUInt32BE(value, index * 4));
  return buffer;
};
const event = (type: string, data: unknown): string => JSON.stringify({ type, data });

describe('recorded frames of a real ComfyUI', () => {
  it.each(recordingNames)('are all understood: %s', (name) => {
    const { messages, promptId } = readRecording(name);
    expect(messages.filter(({ type }) => type === 'malformed' || type === 'other')).toEqual([]);
    const ids = messages.flatMap((message) => ('promptId' in message ? [message.promptId] : []));
    expect(new Set(ids.filter((id) => id !== undefined))).toEqual(new Set([promptId]));
    expect(messages.at(-1)).toEqual({ type: 'executing', promptId, node: null, displayNode: null });
  });

  it('keep their order: start, cached, work, success, status, and executing null last', () => {
    const types = readRecording('success').messages.map((message) => message.type);
    expect(types.slice(0, 5)).toEqual(['status', 'status', 'status', 'execution-start', 'execution-cached']);
    expect(types.slice(-4)).toEqual(['progress-state', 'execution-success', 'status', 'executing']);
  });

  it('give the error without its traceback or the inputs of the node', () => {
    const error = readRecording('error').messages.find((message) => message.type === 'execution-error');
    expect(error).toEqual({
      type: 'execution-error',
      promptId: '53ad64c7-2806-4280-b0ba-c71d27f1e599',
      error: { nodeId: '3', nodeType: 'TraceFail', exceptionType: 'RuntimeError', message: 'boom\n' },
      terminal: true,
    });
  });

  it('give previews with their prompt and node where the server sends them', () => {
    const preview = readRecording('preview-with-metadata').messages.find(
      (message) => message.type === 'preview',
    );
    expect(preview).toMatchObject({
      contentType: 'image/jpeg',
      promptId: '0b0372d3-dc30-4e5a-93a4-3f9671ec31d4',
      node: '3',
    });
    expect(preview?.image.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
  });

  it('give previews of a session without flags bare', () => {
    const preview = readRecording('preview-legacy').messages.find((message) => message.type === 'preview');
    expect(preview).toMatchObject({ contentType: 'image/jpeg', promptId: undefined, node: undefined });
    expect(preview?.image.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
  });

  it('give text with its node', () => {
    const messages = readRecording('text').messages;
    expect(messages).toContainEqual({ type: 'text', node: '1', text: 'working on hi' });
    expect(messages.find((message) => message.type === 'executed')).toMatchObject({
      output: { text: ['hi'] },
    });
  });

  it('give the session id and the flags of the hello', () => {
    const { messages } = readRecording('preview-with-metadata');
    expect(messages[0]).toEqual({
      type: 'status',
      queueRemaining: 0,
      sid: '051674ee-aa97-4c8a-8ed8-41f6109bd4db',
    });
    expect(messages[1]).toMatchObject({ type: 'feature-flags', flags: { supports_preview_metadata: true } });
  });
});

describe('events', () => {
  it('of a blocked branch are not the end of the prompt', () => {
    const message = parseComfyMessage(
      event('execution_error', { prompt_id: 'p', node_id: '1', exception_type: 'ExecutionBlocked' }),
    );
    expect(message).toMatchObject({ type: 'execution-error', terminal: false });
  });

  it('may lack the prompt id where an old session is greeted', () => {
    expect(parseComfyMessage(event('executing', { node: '3' }))).toEqual({
      type: 'executing',
      promptId: undefined,
      node: '3',
      displayNode: '3',
    });
  });

  it('carry where an expanded node belongs to', () => {
    const state = {
      value: 1,
      max: 2,
      state: 'running',
      node_id: '5.0.0.2',
      display_node_id: '7',
      real_node_id: '5',
    };
    const message = parseComfyMessage(
      event('progress_state', { prompt_id: 'p', nodes: { '5.0.0.2': state, x: null } }),
    );
    expect(message).toEqual({
      type: 'progress-state',
      promptId: 'p',
      nodes: [{ nodeId: '5.0.0.2', displayNodeId: '7', realNodeId: '5', state: 'running', value: 1, max: 2 }],
    });
  });

  it('with a null output are kept', () => {
    const message = parseComfyMessage(event('executed', { prompt_id: 'p', node: '4', output: null }));
    expect(message).toEqual({ type: 'executed', promptId: 'p', node: '4', displayNode: '4', output: null });
  });

  it('of unknown types are named and nothing else', () => {
    expect(parseComfyMessage(event('crystools.monitor', { cpu: 3 }))).toEqual({
      type: 'other',
      name: 'crystools.monitor',
    });
    expect(parseComfyMessage(event('constructor', {}))).toEqual({ type: 'other', name: 'constructor' });
  });

  it('without what makes them useful are malformed', () => {
    for (const type of [
      'execution_start',
      'execution_success',
      'execution_error',
      'executed',
      'progress_state',
    ]) {
      expect(parseComfyMessage(event(type, {}))).toMatchObject({ type: 'malformed' });
    }
    expect(parseComfyMessage(event('progress', { prompt_id: 'p', value: 'x', max: 4 }))).toMatchObject({
      type: 'malformed',
    });
    expect(parseComfyMessage(event('status', null))).toEqual({
      type: 'status',
      queueRemaining: undefined,
      sid: undefined,
    });
  });

  it("with Python's NaN are read", () => {
    const text = '{"type":"progress","data":{"value":1,"max":4,"node":"3","prompt_id":"p","rate":NaN}}';
    expect(parseComfyMessage(text)).toMatchObject({ type: 'progress', value: 1, max: 4 });
  });
});

describe('frames that are not what they should be', () => {
  const frames: [string, string | Buffer][] = [
    ['no JSON', 'hello'],
    ['an empty text', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['no type', '{"data":{}}'],
    ['deep JSON', '['.repeat(1_000_000)],
    ['deep JSON that is closed', `{"type":"executed","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['a text beyond the limit', `{"type":"executed","data":"${'x'.repeat(5_000_000)}"}`],
    ['an empty binary frame', Buffer.alloc(0)],
    ['a binary frame cut short', u32(1).subarray(0, 3)],
    ['a preview in an unknown format', Buffer.concat([u32(1, 9), Buffer.from('x')])],
    ['a head longer than the frame', u32(4, 0xffffffff)],
    ['a text whose node is longer than the frame', u32(3, 100)],
    ['metadata that is not JSON', Buffer.concat([u32(4, 2), Buffer.from('{x')])],
    ['metadata that is null', Buffer.concat([u32(4, 4), Buffer.from('null')])],
  ];
  it.each(frames)('are malformed and do not throw: %s', (_name, frame) => {
    expect(parseComfyMessage(frame).type).toBe('malformed');
  });

  it('of an unknown binary event are named', () => {
    expect(parseComfyMessage(u32(77, 0))).toEqual({ type: 'other', name: 'binary:77' });
  });

  it('may hold invalid UTF-8', () => {
    const frame = Buffer.concat([u32(3, 1), Buffer.from('1'), Buffer.from([0xff, 0xfe, 0x41])]);
    expect(parseComfyMessage(frame)).toEqual({ type: 'text', node: '1', text: '\ufffd\ufffdA' });
  });

  it('never throw, whatever the bytes', () => {
    const seed = Buffer.concat([u32(4, 30), Buffer.from('{"image_type":"image/png","a":1}')]);
    for (let at = 0; at < seed.length; at += 1) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const frame = Buffer.from(seed);
        frame[at] = value;
        expect(parseComfyMessage(frame).type).toBeTypeOf('string');
        expect(parseComfyMessage(frame.subarray(0, at)).type).toBeTypeOf('string');
        expect(parseComfyMessage(frame.toString('latin1')).type).toBe('malformed');
      }
    }
  });
});
