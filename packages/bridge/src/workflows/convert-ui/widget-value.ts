import type { NodeInputSpec } from '../../comfy/object-info.ts';
import { isRecord } from '../../lib/is-record.ts';
import type { Budget } from './budget.ts';
import type { PlacedNode } from './place-nodes.ts';
import { check, readValues } from './read-values.ts';
import type { ReadValues, WidgetValue } from './read-values.ts';
import { boundaryIds } from './ui-graph.ts';

/** What widgets hold, each node's read once. */
export interface WidgetValues {
  of(node: PlacedNode): ReadValues;
  /** The widget that a subgraph shows for one of its inputs; undefined where it shows none. */
  promoted(host: PlacedNode, slot: number): Promoted | undefined;
  /** Why the values that a subgraph's own node saves cannot be brought together with its inputs. */
  hostProblem(host: PlacedNode): string | undefined;
}

export interface Promoted {
  spec: NodeInputSpec;
  value: WidgetValue;
}

const saveAgain = 'open the file in a current editor and save it again';

export function createWidgetValues(budget: Budget): WidgetValues {
  const nodes = new Map<PlacedNode, ReadValues>();
  const hosts = new Map<PlacedNode, readonly (Promoted | undefined)[]>();
  const problems = new Map<PlacedNode, string | undefined>();

  function of(node: PlacedNode): ReadValues {
    const known = nodes.get(node);
    if (known !== undefined) return known;
    const { definition } = node;
    const read =
      definition === undefined
        ? { values: new Map(), problem: undefined }
        : readValues(node.node, definition);
    nodes.set(node, read);
    return read;
  }

  /** The first widget that the input is linked to inside, as the inner node has it. */
  function source(host: PlacedNode, slot: number): Promoted | undefined {
    const { inner } = host;
    for (const id of inner?.scope.inputs[slot]?.links ?? []) {
      if (!budget.spend(1)) return undefined;
      const link = inner?.scope.links.get(id);
      const node = link === undefined ? undefined : inner?.nodes.get(link.targetId);
      if (link?.originId !== boundaryIds.input || node === undefined) continue;
      if (!budget.spend(1 + node.inputs.length)) return undefined;
      const at = node.inputs.findIndex((input) => input.link === id);
      const input = node.inputs[at];
      if (input === undefined) continue;
      if (node.inner !== undefined) {
        const nested = promoted(node, at);
        if (nested === undefined) continue;
        const problem = hostProblem(node);
        if (problem === undefined) return nested;
        return { spec: nested.spec, value: { ok: false, problem: `is of a subgraph inside: ${problem}` } };
      }
      const spec = input.isWidget ? node.definition?.inputs.get(input.name) : undefined;
      if (spec === undefined) continue;
      const { values } = of(node);
      const value = values.get(input.name) ?? {
        ok: false,
        problem: 'cannot be read, for the values of its node do not fit',
      };
      return { spec, value };
    }
    return undefined;
  }

  /** Of each input. The values that the host saves are those of its widgets, in the order of its inputs. */
  function widgetsOf(host: PlacedNode): readonly (Promoted | undefined)[] {
    const known = hosts.get(host);
    if (known !== undefined) return known;
    const saved = Array.isArray(host.node.values) ? host.node.values : [];
    let at = 0;
    const widgets = host.inputs.map((_, slot) => {
      const inside = source(host, slot);
      if (inside === undefined) return undefined;
      const value: unknown = saved[at];
      at += 1;
      // Editors since 1.28 leave out what nobody changed.
      if (value === undefined) return inside;
      return { spec: inside.spec, value: check(value, inside.spec) };
    });
    hosts.set(host, widgets);
    return widgets;
  }

  function promoted(host: PlacedNode, slot: number): Promoted | undefined {
    return widgetsOf(host)[slot];
  }

  function hostProblem(host: PlacedNode): string | undefined {
    if (!problems.has(host)) problems.set(host, findHostProblem(host));
    return problems.get(host);
  }

  function findHostProblem(host: PlacedNode): string | undefined {
    const { values, properties, namedValues } = host.node;
    if (isRecord(values)) return `its values are saved in a way that no editor does: ${saveAgain}`;
    const saved: readonly unknown[] = Array.isArray(values) ? values : [];
    if (saved.length === 0) return undefined;
    const shown = widgetsOf(host);
    const count = shown.filter((widget) => widget !== undefined).length;
    const proxies = properties['proxyWidgets'];
    if (Array.isArray(proxies) && proxies.length > 0)
      return `its values are saved in the way of editors 1.28 to 1.47: ${saveAgain}`;
    if (saved.length !== count)
      return `its ${saved.length} values do not fit its ${count} widgets: ${saveAgain}`;
    const names = host.inputs.filter((_, slot) => shown[slot] !== undefined).map(({ name }) => name);
    const differs = names.some(
      (name, at) =>
        namedValues !== undefined && Object.hasOwn(namedValues, name) && namedValues[name] !== saved[at],
    );
    return differs ? `its values are saved twice and differ: ${saveAgain}` : undefined;
  }

  return { of, promoted, hostProblem };
}
