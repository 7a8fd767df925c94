import { z } from 'zod';

/** Each role may do what those before it may: a client runs workflows, an author publishes them, an operator does everything. */
export const roleSchema = z.enum(['client', 'author', 'operator']);
export type Role = z.infer<typeof roleSchema>;

export const keyStateSchema = z.enum(['active', 'expired', 'revoked']);
export type KeyState = z.infer<typeof keyStateSchema>;

const limit = (max: number) => z.int().min(1).max(max).nullable();

/** What one key may use up; null: as everybody. */
export const keyLimitsSchema = z.strictObject({
  requests_per_minute: limit(1_000_000_000),
  unfinished_jobs: limit(1_000_000),
  stored_bytes: limit(2 ** 50),
  upload_bytes: limit(2 ** 50),
});

const name = z
  .string()
  .regex(/^[^\p{Cc}]{1,100}$/u)
  .describe('What people call it, 1 to 100 characters.');
const workflows = z
  .array(z.string().min(1).max(128))
  .min(1)
  .max(100)
  .describe('Aliases that it may see and run, with `*` for any text.');
const expiresIn = z
  .int()
  .min(1)
  .max(10 * 365 * 24 * 60 * 60)
  .describe('Seconds from now.');

/** The body of `POST /api/bridge/keys`. */
export const newKeySchema = z.strictObject({
  name,
  role: roleSchema.default('client'),
  expires_in: expiresIn.optional(),
  workflows: workflows.optional(),
  limits: keyLimitsSchema.partial().optional(),
});

/** The body of `PATCH /api/bridge/keys/{id}`: what is left out stays; null takes an end or a scope away. */
export const keyChangeSchema = z.strictObject({
  name: name.optional(),
  role: roleSchema.optional(),
  expires_in: expiresIn.nullable().optional(),
  workflows: workflows.nullable().optional(),
  limits: keyLimitsSchema.partial().optional(),
});

/** The body of `POST /api/bridge/keys/{id}/rotate`. */
export const keyRotationSchema = z.strictObject({
  overlap: z
    .int()
    .min(0)
    .max(30 * 24 * 60 * 60)
    .default(0)
    .describe('Seconds for which the secret before is good too.'),
});

/** A key without its secret. */
export const keySchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  state: keyStateSchema,
  created_at: z.iso.datetime(),
  created_by: z.string(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable(),
  workflows: z.array(z.string()).nullable(),
  limits: keyLimitsSchema,
});
export type Key = z.infer<typeof keySchema>;

/** A key with its secret, which is told once. */
export const createdKeySchema = keySchema.extend({ key: z.string() });
export type CreatedKey = z.infer<typeof createdKeySchema>;

export const keyListSchema = z.strictObject({ keys: z.array(keySchema) });
export type KeyList = z.infer<typeof keyListSchema>;

/** Something that an operator, an author or a command did, or that was refused. */
export const auditEntrySchema = z.strictObject({
  id: z.string(),
  at: z.iso.datetime(),
  action: z.string().describe('The operation, by its name in this document; or `refused`.'),
  actor: z.string().describe('A key, OPERATOR_TOKEN, the command, or whoever is at the address.'),
  address: z.string().nullable(),
  target: z.string().nullable().describe('What it was done to.'),
  status: z.int().nullable().describe('The status of the answer.'),
  count: z.int().positive().describe('Of refusals alike within a minute, how many.'),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** `GET /api/bridge/audit`, the newest first. */
export const auditPageSchema = z.strictObject({
  entries: z.array(auditEntrySchema),
  next: z.string().nullable().describe('The `after` of the next page; null on the last.'),
});
export type AuditPage = z.infer<typeof auditPageSchema>;

/** The answer of `POST /api/bridge/tickets`: opens one WebSocket or event stream as `?ticket=…`, once. */
export const ticketSchema = z.strictObject({ ticket: z.string(), expires_at: z.iso.datetime() });
export type Ticket = z.infer<typeof ticketSchema>;
