#!/usr/bin/env node
import { parseCliOptions, USAGE, type CliOptions } from './cli-options.ts';
import { startSim, type Sim } from './sim.ts';

async function main(): Promise<void> {
  const parsed = parseCliOptions(process.argv.slice(2));
  if (parsed.kind === 'help') {
    console.log(USAGE);
    return;
  }
  if (parsed.kind === 'error') fail(parsed.message, 2);
  else await serve(parsed.options);
}

async function serve(options: CliOptions): Promise<void> {
  const sims: Sim[] = [];
  const stop = (): void => {
    void Promise.all(sims.map((sim) => sim.close())).then(() => {
      // A pipe that stays open would keep the process alive.
      process.stdin.destroy();
    });
  };
  try {
    for (let at = 0; at < options.count; at += 1) {
      const port = options.port === 0 ? 0 : options.port + at;
      sims.push(await startSim({ ...options.sim, port, mode: 'free', name: `simulated ComfyUI ${at + 1}` }));
    }
  } catch (error) {
    stop();
    fail(describe(error), 1);
    return;
  }
  for (const sim of sims) console.log(`${sim.name} on ${sim.url} (pictures are simulated)`);
  if (options.json) console.log(JSON.stringify({ urls: sims.map((sim) => sim.url) }));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (options.exitWithParent) {
    process.stdin.on('error', stop).once('end', stop).once('close', stop).resume();
  }
}

function fail(message: string, code: number): void {
  console.error(`comfy-sim: ${message}`);
  process.exitCode = code;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    return `port ${String(error.port)} is in use; choose another with --port (0 takes any free one)`;
  }
  return error.message;
}

await main();
