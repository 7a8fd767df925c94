import { imageDefinitions } from './nodes/image-definitions.ts';
import { modelDefinitions } from './nodes/model-definitions.ts';
import { traceDefinitions, utilityDefinitions } from './nodes/utility-definitions.ts';
import type { InputSpec, NodeDefinition } from './wire.ts';

export type ObjectInfo = Readonly<Record<string, NodeDefinition>>;

export interface ObjectInfoSources {
  /** Names directly in the input folder, sorted. */
  inputFiles: string[];
  models: Record<string, string[]>;
  add: Record<string, NodeDefinition>;
  remove: readonly string[];
}

/** Every node the server knows, by class name, as `GET /object_info` lists it. */
export function createObjectInfo({ inputFiles, models, add, remove }: ObjectInfoSources): ObjectInfo {
  const known = [
    ...imageDefinitions(inputFiles),
    ...modelDefinitions(models),
    ...utilityDefinitions(),
    ...traceDefinitions(),
  ];
  const info: Record<string, NodeDefinition> = {};
  for (const definition of known) info[definition.name] = definition;
  Object.assign(info, add);
  for (const name of remove) delete info[name];
  return info;
}

/** Required and optional inputs of a class, in declared order. */
export function inputSpecs(
  definition: NodeDefinition,
): { name: string; spec: InputSpec; required: boolean }[] {
  const { required = {}, optional = {} } = definition.input;
  return [
    ...Object.entries(required).map(([name, spec]) => ({ name, spec, required: true })),
    ...Object.entries(optional).map(([name, spec]) => ({ name, spec, required: false })),
  ];
}
