/** Whether the bridge asks its callers for keys: what clients, bodies and files do to it must not depend on that. */
export const accessModes = ['keys off', 'keys on'] as const;
export type AccessMode = (typeof accessModes)[number];

export const operatorToken = 'the-operators-own-token';

/** Settings of the bridge. */
export function accessSettings(access: AccessMode): Record<string, string> {
  return access === 'keys on' ? { KEYS: 'required', OPERATOR_TOKEN: operatorToken } : {};
}

/** By which a caller shows who it is: with keys on, a new key of a client, or the operator's token; with keys off, nothing. */
export async function createCredentials(
  url: string,
  access: AccessMode,
  role: 'client' | 'operator' = 'client',
): Promise<Record<string, string>> {
  if (access === 'keys off') return {};
  const asOperator = { authorization: `Bearer ${operatorToken}` };
  if (role === 'operator') return asOperator;
  const answer = await fetch(`${url}/api/bridge/keys`, {
    method: 'POST',
    headers: { ...asOperator, connection: 'close' },
    body: JSON.stringify({ name: 'test' }),
    signal: AbortSignal.timeout(5_000),
  });
  const { key }: { key?: unknown } = Object(await answer.json());
  if (typeof key !== 'string') throw new Error(`a key was refused with ${answer.status}`);
  return { authorization: `Bearer ${key}` };
}

/** Credentials as lines of a request that is written by hand. */
export function toHeaderLines(credentials: Readonly<Record<string, string>>): string {
  return Object.entries(credentials)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
