import { expect, test } from 'vitest';
import { createDeferred, type Deferred } from '../lib/deferred.ts';
import { createDecodeSlots } from './decode-slots.ts';

test('work waits while the weights or the number do not fit, in order, and failing work frees its place', async () => {
  const slots = createDecodeSlots({ capacity: 10, atOnce: 2 });
  const started: string[] = [];
  const gates = new Map<string, Deferred<void>>();
  function work(name: string, weight: number): Promise<void> {
    const gate = createDeferred();
    gates.set(name, gate);
    return slots.run(weight, async () => {
      started.push(name);
      await gate.promise;
    });
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const a = work('a', 4);
  const b = work('b', 4);
  const c = work('c', 4);
  const huge = work('huge', 50);
  const d = work('d', 1);
  await turn();
  expect(started).toEqual(['a', 'b']);
  gates.get('a')?.reject(new Error('broken'));
  await expect(a).rejects.toThrow('broken');
  await turn();
  expect(started).toEqual(['a', 'b', 'c']);
  gates.get('b')?.resolve();
  await b;
  await turn();
  expect(started).toEqual(['a', 'b', 'c']); // too heavy beside another, and nobody overtakes it
  gates.get('c')?.resolve();
  await c;
  await turn();
  expect(started).toEqual(['a', 'b', 'c', 'huge']);
  gates.get('huge')?.resolve();
  gates.get('d')?.resolve();
  await Promise.all([huge, d]);
});
