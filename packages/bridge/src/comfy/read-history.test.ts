import { describe, expect, it } from 'vitest';
import { readRecording } from './_recordings.ts';
import { readHistory } from './read-history.ts';

const entry = (status: unknown): unknown => ({ p: { outputs: {}, status, meta: {} } });

describe('readHistory', () => {
  it('is undefined while the prompt is not finished', () => {
    expect(readHistory({}, 'p')).toBeUndefined();
    expect(readHistory({}, '__proto__')).toBeUndefined();
    expect(readHistory(null, 'p')).toBeUndefined();
  });

  it('tells success, with what the nodes showed', () => {
    const { history, promptId } = readRecording('success');
    expect(readHistory(history, promptId)).toMatchObject({
      outcome: 'success',
      outputs: { '4': { images: [{ filename: 'trace_00001_.png', subfolder: '', type: 'output' }] } },
    });
  });

  it('tells an error from an interrupt, which ComfyUI records alike', () => {
    const failed = readRecording('error');
    expect(readHistory(failed.history, failed.promptId)).toMatchObject({
      outcome: 'error',
      error: { nodeId: '3', nodeType: 'TraceFail', exceptionType: 'RuntimeError', message: 'boom\n' },
    });
    const stopped = readRecording('interrupted');
    expect(readHistory(stopped.history, stopped.promptId)).toMatchObject({ outcome: 'interrupted' });
  });

  it('believes the messages where the status says success of a prompt that failed', () => {
    const messages = [
      [
        'execution_error',
        { node_id: '1', exception_type: 'DependencyCycleError', exception_message: 'cycle' },
      ],
    ];
    expect(readHistory(entry({ status_str: 'success', messages }), 'p')).toMatchObject({
      outcome: 'error',
      error: { message: 'cycle' },
    });
  });

  it('takes a blocked branch for no error', () => {
    const messages = [['execution_error', { exception_type: 'ExecutionBlocked' }]];
    expect(readHistory(entry({ status_str: 'success', messages }), 'p')?.outcome).toBe('success');
  });

  it('is an error without a reason where the record has none', () => {
    expect(readHistory(entry({ status_str: 'error' }), 'p')).toMatchObject({ outcome: 'error' });
    expect(readHistory(entry(null), 'p')?.outcome).toBe('success');
  });
});
