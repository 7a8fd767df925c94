import type { InputSpec, NodeDefinition } from '../wire.ts';
import { defineNode, defineSchemaNode, float, int } from './define-node.ts';

const PRIMITIVE = { module: 'comfy_extras.nodes_primitive', category: 'utils/primitive' };
const WIDE = { min: -(2 ** 63), max: 2 ** 63 };

export function utilityDefinitions(): NodeDefinition[] {
  const primitive = (name: string, display: string, type: string, value: InputSpec): NodeDefinition =>
    defineSchemaNode(name, { ...PRIMITIVE, display, required: { value }, output: [type] });
  return [
    defineNode('PreviewAny', {
      required: { source: ['*', {}] },
      outputNode: true,
      display: 'Preview Any',
      module: 'comfy_extras.nodes_preview_any',
      category: 'utils',
    }),
    primitive('PrimitiveInt', 'Int', 'INT', ['INT', { ...WIDE, control_after_generate: true }]),
    primitive('PrimitiveFloat', 'Float', 'FLOAT', ['FLOAT', WIDE]),
    primitive('PrimitiveString', 'String', 'STRING', ['STRING', { multiline: false }]),
    primitive('PrimitiveStringMultiline', 'String (Multiline)', 'STRING', ['STRING', { multiline: true }]),
    primitive('PrimitiveBoolean', 'Boolean', 'BOOLEAN', ['BOOLEAN', {}]),
  ];
}

/**
 * Three small nodes that exist only for tests: a slow step with progress and previews, a node that fails, and one
 * that sends a text frame. The same three can be installed in a real server, so one suite covers both.
 */
export function traceDefinitions(): NodeDefinition[] {
  const trace = { module: 'custom_nodes.trace_nodes', category: 'trace' };
  return [
    defineNode('TraceStep', {
      ...trace,
      required: {
        image: ['IMAGE'],
        steps: int(5, 1, 1000),
        seconds: float(0.1, 0, 60),
        preview: ['BOOLEAN', { default: false }],
        seed: int(0, 0, 2 ** 64),
      },
      output: ['IMAGE'],
    }),
    defineNode('TraceFail', {
      ...trace,
      required: { image: ['IMAGE'], message: ['STRING', { default: 'boom' }] },
      output: ['IMAGE'],
    }),
    defineNode('TraceText', {
      ...trace,
      required: { text: ['STRING', { multiline: true, default: 'hello' }] },
      hidden: { unique_id: 'UNIQUE_ID' },
      outputNode: true,
    }),
  ];
}
