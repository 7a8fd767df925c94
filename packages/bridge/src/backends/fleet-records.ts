import type { Records } from '../lib/records.ts';
import { checkServer } from '../lib/server-address.ts';
import type { Logger } from '../logging.ts';
import { backendRecordSchema } from './backend-settings.ts';
import type { BackendRecord } from './backend-settings.ts';
import type { Backend, BackendSettings, Fleet } from './fleet.ts';
import type { Quarantine } from './standing.ts';

/** How a backend is to be from now on. */
export interface KeptState {
  settings: BackendSettings;
  isLeaving: boolean;
  /** Null: none. Undefined: as it is. */
  token?: string | null | undefined;
  /** As in an endpoint; only of one that was added over the API. Null: none. Undefined: as it is. */
  pin?: string | null | undefined;
  /** Undefined: as it is. */
  quarantine?: Quarantine | null;
}

/** What operators did to the fleet over the API, kept over restarts: one record a backend, by name. */
export interface FleetRecords {
  /** Brings the configured fleet to where it was left. A record that cannot be read is told in the log and costs no other. */
  load(fleet: Fleet): Promise<void>;
  /** Rejects when it cannot be kept. */
  save(
    backend: Pick<Backend, 'name' | 'source' | 'endpoint' | 'quarantine'>,
    state: KeptState,
  ): Promise<void>;
  /** Forgets a backend that was added over the API; of a configured one the settings wait for its return. */
  drop(backend: Backend): Promise<void>;
}

export function createFleetRecords({ records, log }: { records: Records; log: Logger }): FleetRecords {
  /** Tokens of configured backends that were changed over the API. */
  const changedTokens = new Map<string, string | null>();

  function parse(name: string, text: string): BackendRecord | undefined {
    try {
      const record = backendRecordSchema.parse(JSON.parse(text));
      if (record.url === undefined) return record;
      const checked = checkServer(
        { name, url: record.url, token: undefined, pin: record.pin },
        { address: '', token: '' },
      );
      if (!checked.ok) throw new Error('its address, its name or its pin is none');
      return { ...record, url: checked.url, ...(checked.pin !== undefined && { pin: checked.pin }) };
    } catch (error) {
      // The parser quotes the text, which may hold a token.
      const err = error instanceof SyntaxError ? new Error('it is not JSON') : error;
      log.error({ backend: name, err }, 'what was kept of a backend is damaged and passed over');
      return undefined;
    }
  }

  function restore(fleet: Fleet, configured: Backend, record: BackendRecord): void {
    configured.settings = toSettings(record);
    if (record.url !== undefined && record.url !== configured.endpoint.url) {
      log.warn(
        { backend: configured.name },
        'this name was added over the API for another address: the address of the configuration is used',
      );
      return;
    }
    configured.quarantine = record.quarantine;
    if (record.token === undefined) return;
    changedTokens.set(configured.name, record.token);
    fleet.changeCredentials(configured, { token: record.token });
  }

  function addAgain(fleet: Fleet, name: string, record: BackendRecord): void {
    const { url, token, pin, leaving } = record;
    if (url === undefined) return;
    const endpoint = {
      url,
      ...(typeof token === 'string' && { token }),
      ...(pin !== undefined && { pin }),
    };
    const added = fleet.add({
      name,
      endpoint,
      source: 'api',
      settings: toSettings(record),
      isLeaving: leaving,
    });
    if (added.ok) added.backend.quarantine = record.quarantine;
    else
      log.warn({ backend: name, reason: added.reason }, 'a backend that was added over the API is left out');
  }

  return {
    async load(fleet) {
      for (const [name, text] of await records.read()) {
        const record = parse(name, text);
        const configured = fleet.find(name);
        if (record === undefined) continue;
        if (configured !== undefined) restore(fleet, configured, record);
        else addAgain(fleet, name, record);
      }
    },
    async save(backend, state) {
      const { name, source, endpoint } = backend;
      const { settings, isLeaving, token, pin = endpoint.pin, quarantine = backend.quarantine } = state;
      const isAdded = source === 'api';
      const before = isAdded ? endpoint.token : changedTokens.get(name);
      const kept = token === undefined ? before : token;
      const record = {
        ...(isAdded && { url: endpoint.url, leaving: isLeaving }),
        ...(isAdded && typeof pin === 'string' && { pin: `sha256:${pin}` }),
        ...(kept !== undefined && { token: kept }),
        ...(quarantine !== null && { quarantine }),
        ...settings,
      };
      await records.write(name, JSON.stringify(record));
      if (!isAdded && token !== undefined) changedTokens.set(name, token);
    },
    async drop({ name, source }) {
      if (source === 'api') await records.remove(name);
    },
  };
}

function toSettings({ mode, weight, tags, workflows }: BackendRecord): BackendSettings {
  return { mode, weight, tags, workflows };
}
