import { dirname, join, resolve } from 'node:path';

import { describeDiskError } from '../apply/describe-disk-error.ts';
import { createWorkSite } from '../apply/work-site.ts';
import { isDiskError } from '../disk/error-code.ts';
import { removeTree } from '../disk/remove-tree.ts';
import { writeWhole } from '../disk/write-whole.ts';
import { renderNginxSite } from '../plan/nginx-site.ts';
import type { NginxSite } from '../plan/nginx-site.ts';
import type { Host, Report } from './host.ts';

export interface NginxOptions {
  site: NginxSite;
  out: string | undefined;
  check: boolean;
  dryRun: boolean;
  /** Overwrite `out`. */
  force: boolean;
}

/** `nginx`: a site file for a ComfyUI that is lent, checked by nginx itself when asked for. */
export async function nginx(host: Host, { site, out, check, dryRun, force }: NginxOptions): Promise<Report> {
  const text = renderNginxSite(site);
  const checked = check ? await checkWithNginx(host, text) : undefined;
  if (checked !== undefined && !checked.ok) return checked;
  const said = checked === undefined ? [] : checked.lines;
  if (out === undefined)
    return {
      ok: true,
      lines: [text.trimEnd(), ...said.map((line) => `# ${line}`)],
      data: { config: text, nginx: said },
    };
  const path = resolve(out);
  const entry = host.disk.look(path);
  if (entry !== undefined && (entry.kind !== 'file' || !force))
    return failure(
      'exists',
      `${path} is there already.`,
      'Name another file, or overwrite it with --force (files only).',
    );
  if (dryRun)
    return {
      ok: true,
      lines: [`Would write ${path}:`, text.trimEnd(), ...said],
      data: { out: path, config: text, nginx: said },
    };
  try {
    writeWhole(host.disk, path, Buffer.from(text), createWorkSite(host.disk, dirname(path)).run);
  } catch (error) {
    if (!isDiskError(error)) throw error;
    return failure(
      'not-written',
      `${path} was not written: ${describeDiskError(error)}.`,
      'Name another file, or mend that.',
    );
  }
  return {
    ok: true,
    lines: [
      `Wrote ${path}.`,
      ...said,
      'To use it: put it into /etc/nginx/conf.d/ (or sites-enabled), then: nginx -t && nginx -s reload',
    ],
    data: { out: path, config: text, nginx: said },
  };
}

/** Runs `nginx -t` on the site alone, so that nothing else of this machine's configuration counts. */
async function checkWithNginx(
  host: Host,
  text: string,
): Promise<{ ok: true; lines: string[] } | Extract<Report, { ok: false }>> {
  const folder = join(host.temporaryFolder, `comfy-bridge-nginx-${createWorkSite(host.disk, '.').run}`);
  const { disk } = host;
  try {
    disk.createFolder(folder, 0o700);
    disk.createFile(join(folder, 'site.conf'), Buffer.from(text));
    disk.createFile(join(folder, 'nginx.conf'), Buffer.from(wrapper(folder)));
    const args = ['-t', '-p', folder, '-c', join(folder, 'nginx.conf')];
    const first = await host.runProgram('nginx', [...args, '-e', 'stderr']);
    // Versions before 1.19.5 know no -e; without it nginx complains of a log that it may not open, and goes on.
    const ended =
      first?.output.includes('invalid option: "e"') === true ? await host.runProgram('nginx', args) : first;
    if (ended === undefined)
      return failure(
        'no-nginx',
        'There is no nginx on this machine to check it with.',
        'Install nginx, or leave --check out.',
      );
    const said = ended.output
      .replaceAll(`${folder}/`, '')
      .trim()
      .split('\n')
      .filter((line) => line !== '');
    if (ended.code === 0) return { ok: true, lines: said.map((line) => `nginx says: ${line}`) };
    const isPort = said.some((line) => line.includes('bind()') && line.includes('Permission denied'));
    const fix = isPort
      ? 'Ports below 1024 are for root: run this with sudo.'
      : 'Change the parameter that it names.';
    return {
      ok: false,
      refusal: { code: 'nginx-says-no', message: 'nginx does not accept the file.', fix, paths: said },
    };
  } finally {
    removeTree(disk, folder);
  }
}

/** The least that a site needs around it. */
function wrapper(folder: string): string {
  const inside = (name: string) => `"${join(folder, name).replaceAll('\\', '/')}"`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `pid ${inside('nginx.pid')};
events {}
http {
    access_log off;
${temporary.map((name) => `    ${name}_temp_path ${inside(name)};`).join('\n')}
    include ${inside('site.conf')};
}
`;
}

function failure(code: string, message: string, fix: string): Extract<Report, { ok: false }> {
  return { ok: false, refusal: { code, message, fix } };
}
