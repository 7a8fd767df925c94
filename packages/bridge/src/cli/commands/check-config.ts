import { describeSettings } from '../../config/describe-settings.ts';
import { exitCodes } from '../cli-error.ts';
import type { Command } from '../command-spec.ts';
import { renderTable } from '../render-table.ts';

/** `config check`: exit code 1 when the bridge would not start with these settings. */
export const checkConfig: Command = async ({ host, options, print }) => {
  const { problems, warnings, settings } = await describeSettings(host);
  const shown = options.flag('all') ? settings : settings.filter(({ source }) => source !== 'default');
  const rows = shown.map(({ key, value, source }) => [key, value ?? 'not set', source]);
  print.result({ ok: problems.length === 0, problems, warnings, settings: shown }, () =>
    rows.length === 0 ? '' : renderTable(['SETTING', 'VALUE', 'FROM'], rows),
  );
  if (print.isJson) return problems.length === 0 ? exitCodes.ok : exitCodes.failed;
  for (const warning of warnings) print.note(`warning: ${warning}`);
  for (const problem of problems) print.note(`problem: ${problem}`);
  if (problems.length === 0) print.note('The settings are fine. The rest is as by default (--all).');
  return problems.length === 0 ? exitCodes.ok : exitCodes.failed;
};
