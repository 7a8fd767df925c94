import type { FindDefinition } from '../../../bridge/src/workflows/inputs/input-spec.ts';
import { isWidget } from '../../../bridge/src/workflows/convert-ui/plan-widgets.ts';
import { isVirtual, kindOf } from '../../../bridge/src/workflows/convert-ui/node-kind.ts';
import type { GraphLike, LinkLike, NodeLike, SlotLike } from './graph-types.ts';
import { isRecord } from './is-record.ts';

type Json = Record<string, unknown>;

const records = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);

/**
 * A workflow file as the editor saves it, in the shapes of its live graph. Its instances of a subgraph share the inside, as
 * the editor's do. Widgets have their names from the definitions; their values do not matter here.
 */
export function fromSavedFile(file: Json, findDefinition: FindDefinition): GraphLike {
  const definitions = isRecord(file['definitions']) ? records(file['definitions']['subgraphs']) : [];
  const saved = new Map(definitions.map((each) => [String(each['id']), each]));
  const made = new Map<string, GraphLike>();

  function graphOf(scope: Json): GraphLike {
    const graph: GraphLike = { links: linksOf(scope), extra: isRecord(scope['extra']) ? scope['extra'] : {} };
    if (typeof scope['id'] === 'string') graph.id = scope['id'];
    graph.nodes = records(scope['nodes']).map((node) => nodeOf(node, graph));
    return graph;
  }

  function insideOf(type: string, definition: Json): GraphLike {
    const inside = made.get(type) ?? graphOf(definition);
    made.set(type, inside);
    return inside;
  }

  function nodeOf(raw: Json, graph: GraphLike): NodeLike {
    const type = String(raw['type']);
    const definition = saved.get(type);
    const slots = records(raw['inputs']).map((slot) => slot as unknown as SlotLike);
    const inputs = definition === undefined ? slots : boundarySlots(definition, slots);
    const node: NodeLike = {
      id: raw['id'] as number,
      type,
      title: String(raw['title'] ?? ''),
      mode: Number(raw['mode'] ?? 0),
      properties: isRecord(raw['properties']) ? raw['properties'] : {},
      inputs,
      graph,
    };
    if (definition !== undefined) {
      node.isVirtualNode = true;
      node.isSubgraphNode = () => true;
      node.subgraph = insideOf(type, definition);
      node.widgets = promotedNames(definition, node.subgraph).map((name) => ({
        name,
        type: 'text',
        value: '',
      }));
      return node;
    }
    if (isVirtual(kindOf(type))) node.isVirtualNode = true;
    const specs = findDefinition(type)?.inputs;
    if (specs !== undefined) node.comfyClass = type;
    node.widgets = [...(specs ?? [])]
      .filter(([, spec]) => isWidget(spec))
      .map(([name]) => ({ name, type: 'text', value: '' }));
    return node;
  }

  return graphOf(file);
}

/** Newer editors save the links of the workflow itself as lists of six, those inside subgraphs as objects. */
function linksOf(scope: Json): Map<number, LinkLike> {
  const links: unknown[] = Array.isArray(scope['links']) ? scope['links'] : [];
  return new Map(
    links.map((raw) => {
      if (!Array.isArray(raw)) return [Number((raw as Json)['id']), raw as LinkLike];
      const [id, origin_id, origin_slot, target_id, target_slot] = raw as number[];
      return [id!, { origin_id, origin_slot, target_id, target_slot } as LinkLike];
    }),
  );
}

/** An instance has a slot for each input of its subgraph; saved are only those that it had. */
function boundarySlots(definition: Json, slots: readonly SlotLike[]): SlotLike[] {
  return records(definition['inputs']).map(({ name }, index) => {
    // Two may have the same name.
    const saved = slots[index]?.name === name ? slots[index] : slots.find((slot) => slot.name === name);
    return saved ?? { name: String(name), link: null };
  });
}

/** Those whose inner inputs are widgets. */
function promotedNames(definition: Json, inside: GraphLike): string[] {
  return records(definition['inputs']).flatMap(({ name }, slot) => {
    const inner = [...(inside.links as Map<number, LinkLike>).values()].filter(
      (each) => Number(each.origin_id) === -10 && each.origin_slot === slot,
    );
    const isPromoted = inner.some(({ target_id: id, target_slot: at }) =>
      inside.nodes?.some((node) => node.id === id && node.inputs?.[at ?? -1]?.widget !== undefined),
    );
    return isPromoted ? [String(name)] : [];
  });
}
