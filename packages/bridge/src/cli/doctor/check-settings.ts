import { isLoopback } from '../../config/bridge-config.ts';
import type { BridgeConfig } from '../../config/bridge-config.ts';
import { loadConfig } from '../../config/parse-config.ts';
import type { CliHost } from '../cli-host.ts';
import type { Report } from './finding.ts';

/** The settings of this folder; undefined when the bridge would not start with them. */
export async function checkSettings(host: CliHost, report: Report): Promise<BridgeConfig | undefined> {
  const loaded = await loadConfig(host);
  for (const text of loaded.warnings) report({ about: 'settings', name: 'settings', level: 'warn', text });
  if (!loaded.ok) {
    const fix = 'put right what it names; comfy-bridge config check shows all settings';
    for (const text of loaded.problems)
      report({ about: 'settings', name: 'settings', level: 'fail', text, fix });
    return undefined;
  }
  const { config } = loaded;
  report({ about: 'settings', name: 'settings', level: 'ok', text: 'the settings are fine' });
  if (config.backends.servers.length === 0)
    report({
      ...{ about: 'settings', name: 'COMFYUI_SERVERS', level: 'warn' },
      text: 'the settings name no ComfyUI',
      fix: 'set COMFYUI_SERVERS, or add machines with comfy-bridge backends add',
    });
  checkKeys(config, report);
  return config;
}

function checkKeys({ server, operator }: BridgeConfig, report: Report): void {
  const about = { about: 'keys', name: 'keys' } as const;
  const isOpen = !isLoopback(server.host) && !operator.keysRequired;
  if (isOpen)
    report({
      ...{ ...about, level: 'warn' },
      text: `whoever reaches ${server.host}:${server.port} may run jobs without a key`,
      fix: 'leave out INSECURE, set KEYS=required, and make keys with comfy-bridge keys create',
    });
  else {
    const text = operator.keysRequired ? 'callers need a key' : 'only this machine reaches the bridge';
    report({ ...about, level: 'ok', text });
  }
  if (server.trustProxy === false && server.basePath !== '')
    report({
      ...{ about: 'proxy', name: 'TRUST_PROXY', level: 'warn' },
      text: 'BASE_PATH is for a proxy, and TRUST_PROXY trusts none: every caller seems to be the proxy',
      fix: 'set TRUST_PROXY=loopback for a proxy on this machine, or its address',
    });
}
