import { styleText } from 'node:util';

import { createCaller } from '../call-bridge.ts';
import type { BridgeCaller } from '../call-bridge.ts';
import { exitCodes } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import type { Command } from '../command-spec.ts';
import { padToWidth, toPlainText } from '../display-width.ts';
import { askBridge } from '../doctor/ask-bridge.ts';
import { checkBackends } from '../doctor/check-backends.ts';
import { checkData } from '../doctor/check-data.ts';
import { findRunning, isBridge } from '../doctor/check-port.ts';
import { checkProxy } from '../doctor/check-proxy.ts';
import { checkSettings } from '../doctor/check-settings.ts';
import type { Finding, Report } from '../doctor/finding.ts';
import { startTrialBridge } from '../doctor/trial-bridge.ts';
import { describeStartError } from './start.ts';

/** `doctor`: a line for each thing that was looked at; exit code 1 when something is wrong. */
export const doctor: Command = async (context) => {
  const { host, print } = context;
  const findings: Finding[] = [];
  const report: Report = (finding) => {
    findings.push(finding);
    if (!print.isJson) print.text(renderFinding(finding, host.stdout));
  };
  const caller = await context.bridge();
  const { namedBy } = caller.address;
  if (namedBy === '--url' || namedBy === 'COMFY_BRIDGE_URL') await lookFromOutside(caller, report);
  else await lookFromInside(context, caller, report);

  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const isFine = count('fail') === 0;
  print.result({ ok: isFine, findings }, () => '');
  if (!print.isJson)
    print.note(
      `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} wrong, ${count('skip')} not looked at`,
    );
  return isFine ? exitCodes.ok : exitCodes.failed;
};

async function lookFromOutside(caller: BridgeCaller, report: Report): Promise<void> {
  const { url } = caller.address;
  if (!(await isBridge(url))) {
    // Says why, in the words of every other command.
    await caller.send('GET', '/healthz');
    report({
      ...{ about: 'bridge', name: 'bridge', level: 'fail', text: `what answers at ${url} is no bridge` },
      fix: 'look at the address, and at BASE_PATH',
    });
    return;
  }
  report({ about: 'bridge', name: 'bridge', level: 'ok', text: `answers at ${url}` });
  await checkProxy(caller, report);
  await askBridge(caller, { withBackends: true }, report);
}

async function lookFromInside(
  { host, options }: CommandContext,
  caller: BridgeCaller,
  report: Report,
): Promise<void> {
  const config = await checkSettings(host, report);
  if (config === undefined) return;
  await checkData(config, report);
  const running = await findRunning(config, report);
  await checkBackends(config, report);
  if (running !== undefined) return askBridge(caller, { withBackends: true }, report);
  if (options.flag('offline')) return;
  const started = await startTrialBridge(config).catch((error: unknown) => {
    const fix = 'comfy-bridge start will say the same';
    report({ about: 'bridge', name: 'trial', level: 'fail', text: describeStartError(error), fix });
    return undefined;
  });
  if (started === undefined) return;
  await using trial = started;
  const trialCaller = createCaller({ url: trial.url, key: undefined, namedBy: 'default' });
  // The machines of the settings were looked at already, and a bridge of its own has no others.
  await askBridge(trialCaller, { withBackends: false }, report);
}

const colors = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'gray' } as const;

function renderFinding({ about, name, level, text, fix }: Finding, stream: NodeJS.WritableStream): string {
  // Colours only on a terminal, and never with NO_COLOR.
  const mark = styleText(colors[level], padToWidth(level, 4), { stream });
  const subject = name === about ? about : `${about} ${toPlainText(name)}`;
  return `${mark}  ${padToWidth(subject, 28)}  ${toPlainText(text)}\n${fix === undefined ? '' : `      → ${fix}\n`}`;
}
