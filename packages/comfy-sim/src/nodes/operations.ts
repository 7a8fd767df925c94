import { imageOperations } from './image-operations.ts';
import { modelOperations } from './model-operations.ts';
import type { NodeOperation } from './node-work.ts';
import { outputOperations } from './output-operations.ts';

const operations: Record<string, NodeOperation> = {
  ...imageOperations,
  ...modelOperations,
  ...outputOperations,
};

/** What a node class does, or undefined for a class that a test added by definition only. */
export function operationOf(classType: string): NodeOperation | undefined {
  return Object.hasOwn(operations, classType) ? operations[classType] : undefined;
}
