import { describe, expect, it } from 'vitest';
import { readRecording } from './_recordings.ts';
import { readHistory } from './read-history.ts';
import { readOutputs, selectDelivered } from './read-outputs.ts';

const file = (filename: string, type = 'output', subfolder = ''): object => ({ filename, subfolder, type });
const names = (files: { filename: string }[]): string[] => files.map(({ filename }) => filename);

describe('readOutputs', () => {
  it('reads what a real run showed', () => {
    const { history, promptId } = readRecording('all-cached');
    const entry = readHistory(history, promptId);
    expect(readOutputs(entry?.outputs, entry?.meta)).toEqual({
      files: [{ nodeId: '4', filename: 'trace_00004_.png', subfolder: '', type: 'output', kind: 'image' }],
      texts: [],
    });
    const text = readRecording('text');
    expect(readOutputs(readHistory(text.history, text.promptId)?.outputs)).toEqual({
      files: [],
      texts: [{ nodeId: '1', text: 'hi' }],
    });
  });

  it('finds files under every key, with their subfolder', () => {
    const { files } = readOutputs({
      '1': { images: [file('a.png', 'output', 'day/1')], animated: [false] },
      '2': { gifs: [{ ...file('b.mp4'), format: 'video/h264-mp4', frame_rate: 8 }] },
      '3': { audio: [file('c.flac')] },
      '4': { '3d': [file('d.glb')] },
      '5': { some_pack: { nested: [{ deeper: file('e.bin', 'temp') }] } },
      '6': { latents: [file('f.latent')] },
    });
    expect(files.map(({ nodeId, kind, type, subfolder }) => [nodeId, kind, type, subfolder])).toEqual([
      ['1', 'image', 'output', 'day/1'],
      ['2', 'video', 'output', ''],
      ['3', 'audio', 'output', ''],
      ['4', 'file', 'output', ''],
      ['5', 'file', 'temp', ''],
      ['6', 'latent', 'output', ''],
    ]);
  });

  it('believes the name before the key: videos come under images too', () => {
    const { files } = readOutputs({
      '1': { images: [file('v.MP4')], animated: [true] },
      '2': { images: [file('odd')] },
    });
    expect(files.map(({ kind }) => kind)).toEqual(['video', 'image']);
  });

  it('reads a text alone or in a list, and no flags, cameras or plain names', () => {
    const { files, texts } = readOutputs({
      '1': { text: 'one' },
      '2': { text: ['two', 3, null, 'three'] },
      '3': { result: ['mesh.glb', { position: { x: 1 } }, null], note: 'hello' },
    });
    expect(files).toEqual([]);
    expect(texts).toEqual([
      { nodeId: '1', text: 'one' },
      { nodeId: '2', text: 'two' },
      { nodeId: '2', text: 'three' },
    ]);
  });

  it('ignores what is no file of a known folder', () => {
    const bad = [
      { filename: 'a' },
      file('b', 'elsewhere'),
      { filename: 5, type: 'output' },
      file(''),
      null,
      'x.png',
    ];
    expect(readOutputs({ '1': { images: bad }, '2': null, '3': { images: null } }).files).toEqual([]);
    expect(readOutputs(null)).toEqual({ files: [], texts: [] });
  });

  it('lists a file once for a node that names it twice', () => {
    const outputs = {
      '1': { images: [file('a.png'), file('a.png')], video: [file('a.png')] },
      '2': { images: [file('a.png', 'temp')] },
    };
    expect(readOutputs(outputs).files.map(({ type }) => type)).toEqual(['output', 'temp']);
  });

  it('reads at most a thousand files and does not follow endless depth', () => {
    const many = Array.from({ length: 5000 }, (_, index) => file(`${index}.png`));
    expect(readOutputs({ '1': { images: many, text: many.map(() => 'x') } })).toMatchObject({
      files: { length: 1000 },
      texts: { length: 1000 },
    });
    let deep: unknown = file('deep.png');
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(readOutputs({ '1': { images: deep } }).files).toEqual([]);
  });

  it('gives the files of an expanded node to the submitted node', () => {
    const meta = {
      '5.0.0.2': { node_id: '5.0.0.2', display_node: '5.0.0.2', parent_node: '5', real_node_id: '5' },
    };
    expect(readOutputs({ '5.0.0.2': { images: [file('a.png')] } }, meta).files[0]?.nodeId).toBe('5');
  });
});

describe('selectDelivered', () => {
  const { files } = readOutputs({
    '3': { images: [file('preview.png', 'temp')] },
    '4': { images: [file('saved.png')] },
    '5': { images: [file('saved.png'), file('other.png')] },
    '6': { images: [file('given.png', 'input')] },
  });

  it('takes the results of the marked nodes, previews too', () => {
    expect(names(selectDelivered(files, ['3']))).toEqual(['preview.png']);
    expect(names(selectDelivered(files, ['4', '5']))).toEqual(['saved.png', 'other.png']);
    expect(selectDelivered(files, ['9'])).toEqual([]);
  });

  it('takes all that was saved when none is marked', () => {
    expect(names(selectDelivered(files, []))).toEqual(['saved.png', 'other.png']);
  });

  it('takes the previews when nothing was saved', () => {
    const unsaved = files.filter(({ type }) => type !== 'output');
    expect(names(selectDelivered(unsaved, []))).toEqual(['preview.png']);
  });
});
