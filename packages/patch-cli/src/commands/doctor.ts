import { findProblems } from '../plan/find-problems.ts';
import type { Finding, Surroundings } from '../plan/find-problems.ts';
import { findFrontend } from '../tree/find-frontend.ts';
import { findServer } from './find-server.ts';
import type { Host, Report } from './host.ts';
import { lookAtComfyui } from './look-at.ts';

/** `doctor`: everything that is not as it should be, each with its fix. Exit code 1 when something does not work. */
export async function doctor(host: Host, { dir, port }: { dir: string; port: number }): Promise<Report> {
  const looked = lookAtComfyui(host, dir);
  if (!looked.ok) return looked;
  const { facts, python, holder } = looked;
  const ended = await host.runProgram(python, ['--version']);
  const around: Surroundings = {
    ourVersion: host.version,
    holder,
    python: { command: python, version: /^Python (\d+\.\d+\.\d+)/.exec(ended?.output ?? '')?.[1] },
    frontend: findFrontend(host.disk, facts.root, python),
    server: await findServer(host, facts.root, port),
    port,
    isWindows: host.isWindows,
  };
  const findings = findProblems(facts, around);
  const isBroken = findings.some(({ severity }) => severity === 'error');
  return {
    ok: true,
    exitCode: isBroken ? 1 : 0,
    lines: findings.length === 0 ? ['All is well.'] : findings.flatMap(linesOf),
    data: { healthy: !isBroken, comfyui: facts.root, findings },
  };
}

function linesOf({ severity, text, fix }: Finding): string[] {
  return [`${severity.padEnd(7)}  ${text}`, `         → ${fix}`];
}
