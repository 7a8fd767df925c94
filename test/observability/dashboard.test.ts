import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { parseScrape } from '../../packages/bridge/tests/_scrape.ts';
import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { deployDir, metricsOf, parsePanels, readAlerts, readDashboard } from './_promql.ts';

async function namesOfScrape(): Promise<Set<string>> {
  await using t = await startBridge();
  return parseScrape(await (await t.get('/metrics')).text()).names;
}

test('names of metrics are told from all else in a query', () => {
  expect(
    metricsOf(
      'topk(10, sum by (le, route) (rate(a_bucket{route!~".*/events",x=\'b_c\'}[5m]))) / ignoring(state) b_total * 5 and up == 0 or vector(0)',
    ),
  ).toEqual(['a_bucket', 'b_total']);
});

test('every metric that the dashboard shows is one that the bridge has', async () => {
  const names = await namesOfScrape();
  const queries = await readDashboard();
  expect(queries.length).toBeGreaterThan(40);
  for (const { title, expr } of queries) {
    const used = metricsOf(expr);
    expect(used.length, title).toBeGreaterThan(0);
    for (const name of used) expect(names, `${title}: ${name}`).toContain(name);
  }
});

test('every metric that an alert looks at is one that the bridge has', async () => {
  const names = await namesOfScrape();
  const alerts = await readAlerts();
  expect(alerts.length).toBeGreaterThanOrEqual(10);
  for (const { alert, expr } of alerts)
    for (const name of metricsOf(expr)) expect(names, `${alert}: ${name}`).toContain(name);
});

test('every metric of the bridge is on the dashboard', async () => {
  const shown = (await readDashboard()).flatMap(({ expr }) => metricsOf(expr));
  const own = [...(await namesOfScrape())].filter(
    (name) => name.startsWith('comfy_bridge_') && !/_(bucket|sum|count)$/.test(name),
  );
  // Whether it stops is over before anybody looks; of memory it is shown what could be used.
  expect(own.filter((name) => !shown.includes(name))).toEqual([
    'comfy_bridge_draining',
    'comfy_bridge_backend_memory_bytes',
  ]);
});

test('every alert leads to a part of the manual that is there', async () => {
  const manual = await readFile(join(import.meta.dirname, '../../docs/operator.md'), 'utf8');
  const anchors = [...manual.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => toAnchor(heading));
  for (const { alert, runbook } of await readAlerts()) {
    const [page, anchor] = runbook.split('#');
    expect(page, alert).toBe('docs/operator.md');
    expect(anchors, alert).toContain(anchor);
  }
});

test('panels have ids and places of their own, and the data source that is chosen above', async () => {
  const board: unknown = JSON.parse(await readFile(join(deployDir, 'grafana/comfy-bridge.json'), 'utf8'));
  const panels = parsePanels(board);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const { title, targets } of panels)
    for (const { datasource } of targets)
      expect(datasource, title).toEqual({ type: 'prometheus', uid: '${datasource}' });
});

/** As readers of Markdown make them. */
function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}
