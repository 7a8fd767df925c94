import { z } from 'zod';

/**
 * What an author writes into a node's `_meta` to mark inputs that a caller may set.
 *
 * `apiinput` is the original bridge's form: comma-separated input names. A file with only that is complete. `bridge` is
 * the structured form beside it: labels, limits, order, and which nodes' results a caller gets.
 */
export const inputMarkSchema = z.object({
  name: z.string().min(1),
  label: z.string().optional(),
  description: z.string().optional(),
  required: z.boolean().optional(),
  order: z.number().optional(),
  type: z.enum(['str', 'int', 'float', 'bool']).optional(),
  format: z.enum(['image', 'video', 'audio', 'mask']).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  step: z.number().positive().optional(),
  options: z
    .array(z.union([z.string(), z.number(), z.boolean()]))
    .min(1)
    .optional(),
  /**
   * Keys (`12:4/text`) of further inputs that get the same value: one that the author sees sets them all. They are no inputs
   * of their own then, also where `apiinput` names them for readers that do not know this.
   */
  also: z.array(z.string()).min(1).optional(),
});

export const nodeMarksSchema = z.object({
  v: z.literal(1),
  inputs: z.array(inputMarkSchema).default([]),
  /** True on a node whose results a caller gets. When no node is marked, all results are delivered. */
  output: z.boolean().optional(),
});

export const bridgeMetaSchema = z.looseObject({
  title: z.string().optional(),
  apiinput: z.string().optional(),
  descimage: z.union([z.string(), z.array(z.string())]).optional(),
  bridge: nodeMarksSchema.optional(),
});

export type InputMark = z.infer<typeof inputMarkSchema>;
export type NodeMarks = z.infer<typeof nodeMarksSchema>;
