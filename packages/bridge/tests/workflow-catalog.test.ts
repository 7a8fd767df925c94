import { mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { createWorkflowCatalog, type CatalogOptions } from '../src/workflows/catalog/workflow-catalog.ts';

interface Rig extends AsyncDisposable {
  dir: string;
  logged: { level: string; data: object; message: string }[];
  write(name: string, content: unknown): Promise<void>;
  open(options?: CatalogOptions): ReturnType<typeof createWorkflowCatalog>;
}

async function createRig(): Promise<Rig> {
  const root = await mkdtemp(join(tmpdir(), 'catalog-'));
  const dir = join(root, 'workflows');
  await mkdir(dir);
  const logged: Rig['logged'] = [];
  const logAs = (level: string) => (data: object, message: string) =>
    void logged.push({ level, data, message });
  const log = { info: logAs('info'), warn: logAs('warn'), error: logAs('error') };
  return {
    dir,
    logged,
    write: (name, content) =>
      writeFile(
        join(dir, name),
        typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
      ),
    open: (options) =>
      createWorkflowCatalog({ workflowDir: dir, aliasFile: join(dir, 'workflow_alias.json'), log }, options),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

const onlyWhenAsked: CatalogOptions = { watch: false, maxAgeMs: Infinity };
const workflow = (text = 'a') => ({
  '6': { class_type: 'CLIPTextEncode', inputs: { text }, _meta: { apiinput: 'text', descimage: 'd.png' } },
});

async function aliasesOf(catalog: Awaited<ReturnType<Rig['open']>>): Promise<string[]> {
  await catalog.refresh();
  return catalog.list().map(({ alias }) => alias);
}

describe('the catalog', () => {
  it('lists aliases in their order, then files without one by file name', async () => {
    await using rig = await createRig();
    for (const name of ['z.json', 'a.json', 'b.json', '.hidden.json', 'notes.txt'])
      await rig.write(name, workflow());
    await mkdir(join(rig.dir, 'folder.json'));
    const entries = [
      { alias: 'second', fn: 'b.json', description: '둘째' },
      { alias: 'also', fn: 'b.json' },
    ];
    await rig.write('workflow_alias.json', entries);
    await using catalog = await rig.open(onlyWhenAsked);
    expect(catalog.list().map(({ alias }) => alias)).toEqual(['second', 'also', 'a.json', 'z.json']);
    expect(catalog.get('second')).toMatchObject({ fileName: 'b.json', description: '둘째' });
    expect(catalog.problems()).toEqual([]);
  });

  it('finds by alias, by file name, and by file name without .json where that means one', async () => {
    await using rig = await createRig();
    for (const name of ['a.json', 'b.json', 'c.json', 'd.json']) await rig.write(name, workflow(name));
    const entries = [
      { alias: 'one', fn: 'a.json' },
      { alias: 'x', fn: 'b.json' },
      { alias: 'y', fn: 'b.json' },
      { alias: 'c', fn: 'd.json' },
    ];
    await rig.write('workflow_alias.json', entries);
    await using catalog = await rig.open(onlyWhenAsked);
    expect(catalog.get('a.json')?.alias).toBe('one');
    expect(catalog.get('a')?.alias).toBe('one');
    expect(catalog.get('b')).toBeUndefined();
    expect(catalog.get('c')?.fileName).toBe('d.json');
    expect(catalog.get('c.json')?.fileName).toBe('c.json');
    expect(catalog.get('constructor')).toBeUndefined();
  });

  it('says which aliases name no file, and which file an alias hides', async () => {
    await using rig = await createRig();
    await rig.write('a.json', workflow());
    await rig.write('b.json', workflow());
    const entries = [
      { alias: 'gone', fn: 'gone.json' },
      { alias: 'out', fn: '../x.json' },
      { alias: 'a.json', fn: 'b.json' },
    ];
    await rig.write('workflow_alias.json', entries);
    await using catalog = await rig.open(onlyWhenAsked);
    expect(await aliasesOf(catalog)).toEqual(['a.json']);
    expect(catalog.get('a.json')?.fileName).toBe('b.json');
    expect(catalog.problems().map(({ message }) => message)).toEqual([
      expect.stringContaining('entry 2: "fn"'),
      expect.stringContaining('no file "gone.json"'),
      expect.stringContaining('is not listed'),
    ]);
  });

  it('does not follow a link out of its folder, and does follow one within', async () => {
    await using rig = await createRig();
    await writeFile(join(rig.dir, '..', 'secret.json'), JSON.stringify(workflow()));
    await symlink('../secret.json', join(rig.dir, 'linked.json'));
    await mkdir(join(rig.dir, '..data'));
    await rig.write('..data/inner.json', workflow());
    await symlink('..data/inner.json', join(rig.dir, 'inner.json'));
    await using catalog = await rig.open(onlyWhenAsked);
    expect(await aliasesOf(catalog)).toEqual(['inner.json']);
    expect(catalog.problems()).toContainEqual({
      fileName: 'linked.json',
      message: 'is a link to a place outside its folder',
    });
  });

  it('refuses a file over 10 MB', async () => {
    await using rig = await createRig();
    await rig.write('a.json', workflow());
    await rig.write('big.json', '');
    await truncate(join(rig.dir, 'big.json'), 10 * 1024 * 1024 + 1);
    await using catalog = await rig.open(onlyWhenAsked);
    expect(await aliasesOf(catalog)).toEqual(['a.json']);
    expect(catalog.problems()).toContainEqual({
      fileName: 'big.json',
      message: expect.stringContaining('larger'),
    });
  });

  it('opens on a folder that is not there, and finds it later', async () => {
    await using rig = await createRig();
    await rm(rig.dir, { recursive: true });
    await using catalog = await rig.open();
    expect(catalog.list()).toEqual([]);
    expect(catalog.problems()[0]?.message).toContain('cannot be read');
    await mkdir(rig.dir);
    await rig.write('a.json', workflow());
    expect(await aliasesOf(catalog)).toEqual(['a.json']);
  });
});

describe('files that change while the bridge runs', () => {
  it('are seen when added, changed, given an alias, and removed', async () => {
    await using rig = await createRig();
    await using catalog = await rig.open(onlyWhenAsked);
    expect(catalog.list()).toEqual([]);
    await rig.write('a.json', workflow('old'));
    expect(await aliasesOf(catalog)).toEqual(['a.json']);
    await rig.write('a.json', workflow('new'));
    await catalog.refresh();
    expect(catalog.get('a')?.inputs[0]?.default).toBe('new');
    await rig.write('workflow_alias.json', [{ alias: 'first', fn: 'a.json' }]);
    expect(await aliasesOf(catalog)).toEqual(['first']);
    await rm(join(rig.dir, 'workflow_alias.json'));
    expect(await aliasesOf(catalog)).toEqual(['a.json']);
    await rm(join(rig.dir, 'a.json'));
    expect(await aliasesOf(catalog)).toEqual([]);
  });

  it('are seen although size and modification time stay the same', async () => {
    await using rig = await createRig();
    const path = join(rig.dir, 'a.json');
    await rig.write('a.json', workflow('one'));
    await utimes(path, 1, 1);
    await using catalog = await rig.open(onlyWhenAsked);
    await rig.write('b.tmp', workflow('two'));
    await utimes(join(rig.dir, 'b.tmp'), 1, 1);
    await rename(join(rig.dir, 'b.tmp'), path);
    await catalog.refresh();
    expect(catalog.get('a')?.inputs[0]?.default).toBe('two');
  });

  it('keep their last good version while broken or half written, and never take others down', async () => {
    await using rig = await createRig();
    const whole = JSON.stringify(workflow('good'));
    await rig.write('a.json', whole);
    await rig.write('b.json', workflow());
    await using catalog = await rig.open(onlyWhenAsked);
    for (const broken of [whole.slice(0, 40), '', '{"nodes": [], "links": []}']) {
      await rig.write('a.json', broken);
      expect(await aliasesOf(catalog)).toEqual(['a.json', 'b.json']);
      expect(catalog.get('a')?.inputs[0]?.default).toBe('good');
      expect(catalog.problems()).toContainEqual({
        fileName: 'a.json',
        message: expect.stringContaining('the version before stays published'),
      });
    }
    await rig.write('a.json', workflow('mended'));
    await catalog.refresh();
    expect(catalog.get('a')?.inputs[0]?.default).toBe('mended');
    await rig.write('a.json', '{');
    await catalog.refresh();
    await rm(join(rig.dir, 'a.json'));
    expect(await aliasesOf(catalog)).toEqual(['b.json']);
  });

  it('keep the aliases while the alias file is broken', async () => {
    await using rig = await createRig();
    await rig.write('a.json', workflow());
    await rig.write('workflow_alias.json', [{ alias: 'first', fn: 'a.json' }]);
    await using catalog = await rig.open(onlyWhenAsked);
    await rig.write('workflow_alias.json', '[{"alias": "fir');
    expect(await aliasesOf(catalog)).toEqual(['first']);
    expect(catalog.problems()).toEqual([
      { fileName: 'workflow_alias.json', message: expect.stringContaining('not valid JSON') },
    ]);
  });

  it('stay published while the whole folder is away', async () => {
    await using rig = await createRig();
    await rig.write('a.json', workflow());
    await using catalog = await rig.open(onlyWhenAsked);
    await rename(rig.dir, `${rig.dir}-away`);
    expect(await aliasesOf(catalog)).toEqual(['a.json']);
    await rename(`${rig.dir}-away`, rig.dir);
    await rm(join(rig.dir, 'a.json'));
    expect(await aliasesOf(catalog)).toEqual([]);
  });

  it('have a problem logged once per change, not once per look', async () => {
    await using rig = await createRig();
    const warnings = () =>
      rig.logged.filter(({ level, data }) => level === 'warn' && 'file' in data && data.file === 'a.json');
    await rig.write('a.json', '{');
    await using catalog = await rig.open(onlyWhenAsked);
    await catalog.refresh();
    await rig.write('b.json', workflow());
    await catalog.refresh();
    expect(warnings()).toHaveLength(1);
    await rig.write('a.json', '{"');
    await catalog.refresh();
    await rig.write('a.json', '{');
    await catalog.refresh();
    expect(warnings()).toHaveLength(3);
  });

  it('are seen by watching, without being asked', async () => {
    await using rig = await createRig();
    await using catalog = await rig.open({ maxAgeMs: Infinity });
    const { promise, resolve } = Promise.withResolvers<void>();
    catalog.subscribe(() => catalog.list().some(({ alias }) => alias === 'a.json') && resolve());
    await rig.write('a.json', workflow());
    await promise;
    expect(catalog.get('a.json')).toBeDefined();
  });

  it('are seen by asking, where watching is blind', async () => {
    await using rig = await createRig();
    await using catalog = await rig.open({ watch: false, maxAgeMs: 0 });
    await rig.write('a.json', workflow());
    await catalog.refreshSoon();
    expect(catalog.get('a.json')).toBeDefined();
  });

  it('are not looked at again within the time that an answer may be old', async () => {
    await using rig = await createRig();
    await using catalog = await rig.open({ watch: false, maxAgeMs: 60_000 });
    await rig.write('a.json', workflow());
    await catalog.refreshSoon();
    expect(catalog.get('a.json')).toBeUndefined();
  });

  it('are found by a look that was asked for while another was under way', async () => {
    await using rig = await createRig();
    await using catalog = await rig.open(onlyWhenAsked);
    const looking = catalog.refresh();
    await rig.write('a.json', workflow());
    await Promise.all([catalog.refresh(), catalog.refresh(), looking]);
    expect(catalog.get('a.json')).toBeDefined();
  });

  it('cannot break the catalog through a listener, and are no longer told after close', async () => {
    await using rig = await createRig();
    const catalog = await rig.open(onlyWhenAsked);
    let told = 0;
    catalog.subscribe(() => {
      throw new Error('listener');
    });
    catalog.subscribe(() => told++);
    await rig.write('a.json', workflow());
    await catalog.refresh();
    expect(told).toBe(1);
    expect(rig.logged.filter(({ level }) => level === 'error')).toHaveLength(1);
    await catalog.close();
    await rig.write('b.json', workflow());
    await catalog.refresh();
    expect(told).toBe(1);
    await catalog.close();
  });
});

describe('pictures and samples', () => {
  it('are read as base64, again after a change, and absent when missing, too large or elsewhere', async () => {
    await using rig = await createRig();
    await rig.write('a.json', workflow());
    await rig.write('workflow_alias.json', [{ alias: 'a', fn: 'a.json', thumbnail: 't.jpg' }]);
    await mkdir(join(rig.dir, 'thumbnail'));
    await mkdir(join(rig.dir, 'descimage'));
    await using catalog = await rig.open(onlyWhenAsked);
    const [a] = catalog.list();
    if (a === undefined) throw new Error('not listed');
    expect(await catalog.readThumbnail(a)).toBeUndefined();
    await rig.write('thumbnail/t.jpg', Buffer.from('one'));
    expect(await catalog.readThumbnail(a)).toBe(Buffer.from('one').toString('base64'));
    expect(await catalog.readThumbnail(a)).toBe(Buffer.from('one').toString('base64'));
    await rig.write('thumbnail/t.jpg', Buffer.from('two!'));
    expect(await catalog.readThumbnail(a)).toBe(Buffer.from('two!').toString('base64'));
    await truncate(join(rig.dir, 'thumbnail/t.jpg'), 5 * 1024 * 1024 + 1);
    expect(await catalog.readThumbnail(a)).toBeUndefined();
    await rm(join(rig.dir, 'thumbnail/t.jpg'));
    await symlink('../a.json', join(rig.dir, 'thumbnail/t.jpg'));
    expect(await catalog.readThumbnail(a)).toBeUndefined();
    expect(await catalog.readDescImages(a)).toEqual(new Map());
    await rig.write('descimage/d.png', Buffer.from('d'));
    expect(await catalog.readDescImages(a)).toEqual(new Map([['d.png', 'ZA==']]));
  });

  it('knows the files in input/ as samples, and nothing outside', async () => {
    await using rig = await createRig();
    await mkdir(join(rig.dir, 'input'));
    await rig.write('input/s.png', 'x');
    await rig.write('a.json', workflow());
    await symlink('../a.json', join(rig.dir, 'input/out.png'));
    await symlink('nowhere', join(rig.dir, 'input/broken.png'));
    await using catalog = await rig.open(onlyWhenAsked);
    expect(catalog.isSample('s.png')).toBe(true);
    expect(catalog.samplePath('s.png')).toBe(join(rig.dir, 'input', 's.png'));
    for (const name of ['out.png', 'broken.png', '../a.json', 'a.json', '', '..']) {
      expect(catalog.isSample(name)).toBe(false);
      expect(catalog.samplePath(name)).toBeUndefined();
    }
  });
});
