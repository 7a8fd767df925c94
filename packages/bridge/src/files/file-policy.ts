import { defaultAllowedTypes, parseAllowedTypes, toResultAllowed } from './allowed-types.ts';
import { defaultImageLimits } from './check-file.ts';
import type { FilePolicy } from './collect-result.ts';

/**
 * What may come in from clients and go out to them, from the configured MIME types (checked with the other settings) and
 * pixel limit.
 */
export function createFilePolicy(
  { allowedTypes, maxPixels }: { allowedTypes: unknown; maxPixels: number },
  onIgnored: (reason: string) => void,
): FilePolicy {
  const parsed = allowedTypes === undefined ? undefined : parseAllowedTypes(allowedTypes);
  if (parsed?.ok === true) parsed.ignored.forEach(onIgnored);
  const allowed = parsed?.ok === true ? parsed.allowed : defaultAllowedTypes;
  return { ...defaultImageLimits, maxPixels, allowed, resultAllowed: toResultAllowed(allowed) };
}
