import { z } from 'zod';

const maxTags = 32;

/** What an operator calls machines of a kind: `gpu-24gb`, `studio`. Each once, in the order given. */
export const tagsSchema = z
  .array(
    z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'a tag is a text of 1 to 64 letters, digits, ".", "_", "-"'),
  )
  .max(maxTags, `at most ${maxTags} tags`)
  .transform((tags) => [...new Set(tags)]);
