import { describe, expect, test } from 'vitest';
import { parsePartHeader } from './part-header.ts';

function parse(disposition: string, contentType?: string): ReturnType<typeof parsePartHeader> {
  return parsePartHeader({
    'content-disposition': [disposition],
    ...(contentType === undefined ? {} : { 'content-type': [contentType] }),
  });
}

describe('the header of a part', () => {
  test('tells a file from a field, and a declared type from none', () => {
    expect(parse('form-data; name="a"; filename="x.png"')).toEqual({
      name: 'a',
      fileName: 'x.png',
      isFile: true,
      contentType: undefined,
    });
    expect(parse('form-data; name="a"', 'text/plain')).toMatchObject({
      isFile: false,
      contentType: 'text/plain',
    });
    expect(parse('form-data; name="a"', 'application/octet-stream')).toMatchObject({
      isFile: true,
      fileName: undefined,
    });
    expect(parse('form-data; name=""; filename=""')).toMatchObject({
      name: undefined,
      fileName: undefined,
      isFile: true,
    });
  });

  test.each([
    ['form-data; name=a; filename=x.png', 'x.png'],
    ['FORM-DATA ;NAME="a" ; FileName = "x y.png"', 'x y.png'],
    ['form-data; filename="a;b.png"; name="a"', 'a;b.png'],
    [String.raw`form-data; name="a"; filename="say \"hi\".png"`, 'say "hi".png'],
    [String.raw`form-data; name="a"; filename="C:\fakepath\x.png"`, String.raw`C:\fakepath\x.png`],
    ["form-data; name=a; filename*=UTF-8'ko'%ED%95%9C.png; filename=x.png", '한.png'],
    ["form-data; name=a; filename=x.png; filename*=no-such-charset''a%20b.png", 'a b.png'],
    ['form-data; name="a"; filename="caf\xe9.png"', 'café.png'],
  ])('reads the name in %s', (disposition, fileName) => {
    expect(parse(disposition)?.fileName).toBe(fileName);
  });

  test.each([
    undefined,
    null,
    {},
    'x',
    { 'content-disposition': ['attachment; filename="x.png"'] },
    { 'content-disposition': [] },
  ])('is refused when it is %j', (raw) => {
    expect(parsePartHeader(raw)).toBeUndefined();
  });

  test('takes no longer than its length asks for', { timeout: 2000 }, () => {
    for (const unit of ['\\\\', '\\"', '; ', ';a=', "'", '"']) {
      parse(`form-data; name="${unit.repeat(8000)}`);
      parse(`form-data; filename*=${unit.repeat(8000)}`);
    }
  });
});
