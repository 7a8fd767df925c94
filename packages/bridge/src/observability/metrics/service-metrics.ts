import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';

import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';

import { webhookOutcomes } from '../../events.ts';
import type { Events, WebhookOutcome } from '../../events.ts';
import type { StorageUsage } from '../../files/limit-storage.ts';
import { showGauge } from './show-gauge.ts';

export interface ServiceSources {
  /** Open WebSockets. */
  openSockets(): number;
  /** Open event streams. */
  openStreams(): number;
  storage(): StorageUsage;
  /** Where the data lie. */
  dataDir: string;
  webhooksOwed(): { due: number; registered: number };
  isDraining(): boolean;
}

/** Connections, webhooks, bytes and the build. Returns how to stop. */
export function showService(
  registers: Registry[],
  { events, sources, version }: { events: Events; sources: ServiceSources; version: string },
): () => void {
  for (const { name, help, valueOf } of figures) {
    showGauge(registers, {
      name: `comfy_bridge_${name}`,
      help,
      read: (gauge) => gauge.set(valueOf(sources)),
    });
  }
  showGauge(registers, {
    name: 'comfy_bridge_webhooks_owed',
    help: 'Webhooks that are owed: due (the job has ended) or registered (it goes on).',
    labelNames: ['state'],
    read(gauge) {
      const { due, registered } = sources.webhooksOwed();
      gauge.set({ state: 'due' }, due);
      gauge.set({ state: 'registered' }, registered);
    },
  });
  showGauge(registers, {
    name: 'comfy_bridge_build_info',
    help: '1, labeled with the version of the bridge.',
    labelNames: ['version'],
    read: (gauge) => gauge.set({ version }, 1),
  });
  showDisk(registers, sources.dataDir);
  countKept(registers, sources);
  const tries = new Counter({
    name: 'comfy_bridge_webhook_tries_total',
    help: 'Tries to deliver a webhook, by outcome: delivered, gone (not wanted any more), failed (tried again) or given_up.',
    labelNames: ['outcome'],
    registers,
  });
  const count = (outcome: WebhookOutcome, by: number) =>
    tries.inc({ outcome: outcome.replace('-', '_') }, by);
  // From the start on, or the first of each kind would be no increase.
  for (const outcome of webhookOutcomes) count(outcome, 0);
  return events.on('webhook:tried', ({ outcome }) => count(outcome, 1));
}

const figures: readonly { name: string; help: string; valueOf(sources: ServiceSources): number }[] = [
  { name: 'websockets_open', help: 'Open WebSockets.', valueOf: ({ openSockets }) => openSockets() },
  { name: 'event_streams_open', help: 'Open event streams.', valueOf: ({ openStreams }) => openStreams() },
  {
    name: 'draining',
    help: '1 while the bridge stops.',
    valueOf: ({ isDraining }) => (isDraining() ? 1 : 0),
  },
  {
    name: 'storage_used_bytes',
    help: 'Uploads and results that are kept.',
    valueOf: ({ storage }) => storage().usedBytes,
  },
  {
    name: 'storage_quota_bytes',
    help: 'What they may take together (STORAGE_QUOTA).',
    valueOf: ({ storage }) => storage().quotaBytes,
  },
];

function countKept(registers: Registry[], { storage }: ServiceSources): Counter {
  return new Counter({
    name: 'comfy_bridge_files_bytes_total',
    help: 'Bytes of files that were kept, by kind: upload or result.',
    labelNames: ['kind'],
    registers,
    collect() {
      const { uploads, results } = storage().keptBytes;
      this.reset();
      this.inc({ kind: 'upload' }, uploads);
      this.inc({ kind: 'result' }, results);
    },
  });
}

function showDisk(registers: Registry[], dataDir: string): void {
  const diskFigures = [
    ['free', 'Free on the disk of the data directory.', (disk: StatsFs) => disk.bavail * disk.bsize],
    ['size', 'Size of the disk of the data directory.', (disk: StatsFs) => disk.blocks * disk.bsize],
  ] as const;
  for (const [name, help, valueOf] of diskFigures) {
    showGauge(registers, {
      name: `comfy_bridge_disk_${name}_bytes`,
      help,
      async read(gauge) {
        // A disk that does not answer costs these figures and not the scrape.
        const disk = await statfs(dataDir).catch(() => undefined);
        if (disk !== undefined) gauge.set(valueOf(disk));
      },
    });
  }
}
