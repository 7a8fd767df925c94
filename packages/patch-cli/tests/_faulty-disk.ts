import type { Disk } from '../src/disk/disk.ts';

/** The process ended here: nothing of it runs any more, whatever it catches. */
export class Killed extends Error {}

export type Fault =
  /** Ends before the change, after it, or with half of a new file written. */
  | { kind: 'kill'; at: number; when: 'before' | 'after' | 'torn' }
  /** One change fails. */
  | { kind: 'fail'; at: number; code: string }
  /** From here on nothing new can be written; renaming and removing still work. */
  | { kind: 'full'; at: number }
  /** From here on every change fails. */
  | { kind: 'dead'; at: number };

export interface FaultyDisk {
  disk: Disk;
  /** Changes so far. */
  count(): number;
}

const takesSpace = new Set(['createFile', 'createFolder', 'link']);

/** A disk on which the change with number `at` (from 0) goes wrong. */
export function createFaultyDisk(real: Disk, fault?: Fault): FaultyDisk {
  let count = 0;
  let isKilled = false;

  function alive(): void {
    if (isKilled) throw new Killed('killed');
  }
  function kill(): never {
    isKilled = true;
    throw new Killed('killed');
  }
  function change(name: string, path: string, act: () => void, tear?: () => void): void {
    alive();
    const number = count;
    count += 1;
    if (fault === undefined || number < fault.at) return act();
    const isHere = number === fault.at;
    if (fault.kind === 'kill' && isHere) {
      if (fault.when === 'after') act();
      if (fault.when === 'torn') tear?.();
      kill();
    }
    if (fault.kind === 'fail' && isHere) throw systemError(fault.code, name, path);
    if (fault.kind === 'full' && takesSpace.has(name)) throw systemError('ENOSPC', name, path);
    if (fault.kind === 'dead') throw systemError('EIO', name, path);
    act();
  }
  function look<A extends unknown[], R>(act: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      alive();
      return act(...args);
    };
  }

  return {
    count: () => count,
    disk: {
      look: look(real.look),
      read: look(real.read),
      list: look(real.list),
      linkTarget: look(real.linkTarget),
      realPath: look(real.realPath),
      canWriteIn: look(real.canWriteIn),
      createFile: (path, content, mode) =>
        change(
          'createFile',
          path,
          () => real.createFile(path, content, mode),
          () => real.createFile(path, content.subarray(0, Math.floor(content.length / 2))),
        ),
      createFolder: (path, mode) => change('createFolder', path, () => real.createFolder(path, mode)),
      rename: (from, to) => change('rename', from, () => real.rename(from, to)),
      link: (from, to) => change('link', to, () => real.link(from, to)),
      removeFile: (path) => change('removeFile', path, () => real.removeFile(path)),
      removeFolder: (path) => change('removeFolder', path, () => real.removeFolder(path)),
      syncFolder: (path) => change('syncFolder', path, () => real.syncFolder(path)),
    },
  };
}

function systemError(code: string, syscall: string, path: string): Error {
  return Object.assign(new Error(`${code}: made up, ${syscall} '${path}'`), { code, syscall, path });
}
