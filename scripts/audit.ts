// What CI asks before it tests: does anything that the bridge is shipped with have a known hole? `npm run audit`.
//
// A hole of severity high or critical fails. A registry that does not answer, or has no such call, does not: it says nothing
// about us, and a build must not hang on it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const deadlineMs = 60_000;

interface Advisory {
  module_name?: string;
  severity?: string;
  title?: string;
  url?: string;
  vulnerable_versions?: string;
}

/** What `pnpm audit --json` prints: advisories, or an error. */
interface Report {
  advisories?: Record<string, Advisory>;
  error?: { message?: string };
}

function audit(): Promise<string> {
  return new Promise((resolve) => {
    const pnpm = join(root, 'toolchain', 'node_modules', 'pnpm', 'bin', 'pnpm.mjs');
    const child = spawn(
      process.execPath,
      [pnpm, 'audit', '--prod', '--json', '--config.fetch-retries=1', '--config.fetch-retry-mintimeout=1000'],
      {
        cwd: root,
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', () => resolve(''));
    child.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString());
    });
  });
}

/** Undefined for what is no report. */
function parseReport(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}

const report = parseReport(await audit());
if (report?.advisories === undefined) {
  const reason = report?.error?.message?.trim() ?? `no answer within ${deadlineMs / 1000} seconds`;
  process.stderr.write(`warning: known holes in dependencies were not looked for: ${reason}\n`);
} else {
  const found = Object.values(report.advisories);
  const severe = found.filter(({ severity }) => severity === 'high' || severity === 'critical');
  for (const { module_name, severity, title, url, vulnerable_versions } of found)
    process.stdout.write(`${severity}: ${module_name} ${vulnerable_versions}: ${title} (${url})\n`);
  process.stdout.write(`${found.length} known holes in what is shipped, ${severe.length} of them severe\n`);
  process.exitCode = severe.length > 0 ? 1 : 0;
}
