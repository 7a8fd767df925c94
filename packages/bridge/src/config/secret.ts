import { inspect } from 'node:util';

/** A value that shows as `***` wherever it is printed; `reveal` is the only way to it. */
export interface Secret {
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

export function createSecret(value: string): Secret {
  const hide = () => '***';
  return Object.freeze({ reveal: () => value, toString: hide, toJSON: hide, [inspect.custom]: hide });
}
