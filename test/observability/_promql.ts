import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const deployDir = join(import.meta.dirname, '../../deploy');

/** Every query of the dashboard, with its panel. */
export async function readDashboard(): Promise<{ title: string; expr: string }[]> {
  const board: unknown = JSON.parse(await readFile(join(deployDir, 'grafana/comfy-bridge.json'), 'utf8'));
  return parsePanels(board).flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));
}

export interface Panel {
  id: number;
  title: string;
  type: string;
  targets: { expr: string; datasource?: unknown }[];
}

export function parsePanels(board: unknown): Panel[] {
  const { panels } = board as { panels: (Omit<Panel, 'targets'> & { targets?: Panel['targets'] })[] };
  return panels.map((panel) => ({ ...panel, targets: panel.targets ?? [] }));
}

export interface AlertRule {
  alert: string;
  expr: string;
  runbook: string;
}

/** The rules as they are written: one key a line, folded texts below their key. */
export async function readAlerts(): Promise<AlertRule[]> {
  const text = await readFile(join(deployDir, 'prometheus/alerts.yml'), 'utf8');
  return text
    .split(/^ {6}- alert: /m)
    .slice(1)
    .map((rule) => ({
      alert: rule.slice(0, rule.indexOf('\n')),
      expr: /^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*))/m.exec(rule)?.slice(1).join('') ?? '',
      runbook: /runbook_url: (\S+)/.exec(rule)?.[1] ?? '',
    }));
}

/** What of Prometheus' own a query may name. */
const ofPrometheus = new Set(['up']);

/** The metrics that a query asks for: names that stand before a selector, a range, an operator or the end. */
export function metricsOf(expr: string): string[] {
  const bare = expr
    .replaceAll(/"[^"]*"|'[^']*'/g, '')
    .replaceAll(/\{[^{}]*\}/g, ' ')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ');
  const words = [...bare.matchAll(/[a-zA-Z_][\w:]*(\s*\()?/g)];
  return words
    .filter(([, call]) => call === undefined)
    .map(([word]) => word.trim())
    .filter(
      (word) => !['and', 'or', 'unless', 'bool', 'by', 'offset'].includes(word) && !ofPrometheus.has(word),
    );
}
