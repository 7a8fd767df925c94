import { readdir, readFile, readlink } from 'node:fs/promises';

export interface ProcessFigures {
  /** Resident memory in bytes. */
  rss: number;
  /** Open file descriptors, sockets included. */
  fds: number;
  sockets: number;
}

/** What the kernel says of a process of ours (Linux). */
export async function readFigures(pid: number): Promise<ProcessFigures> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  return {
    rss: kilobytes * 1024,
    fds: names.length,
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
  };
}
