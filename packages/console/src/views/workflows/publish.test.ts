import { expect, test } from 'vitest';

import { aliasFrom, readWorkflowFile } from './publish.ts';

test('an alias is made of the name of the file', () => {
  expect(aliasFrom('My flow (2).JSON')).toBe('my-flow-2');
  expect(aliasFrom('그림 그리기.json')).toBe('그림-그리기');
  expect(aliasFrom('….json')).toBe('');
});

test('a file that is no workflow is refused before it is sent', async () => {
  expect(await readWorkflowFile(new File(['[1]'], 'a.json'))).toEqual({ ok: false, reason: 'no-json' });
  expect(await readWorkflowFile(new File(['{'], 'a.json'))).toEqual({ ok: false, reason: 'no-json' });
  expect(await readWorkflowFile(new File(['\uFEFF{"1": 7.0}'], 'a.json'))).toEqual({
    ok: true,
    text: '{"1": 7.0}',
  });
});
