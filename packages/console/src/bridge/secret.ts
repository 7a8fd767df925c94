const storageKey = 'comfy-bridge.secret';
const ownPrefix = 'page-';

/**
 * What every call is signed with. Where the bridge asks for no keys it is a random text of the page's own: jobs and uploads
 * belong to who knows it, so that the history of this browser is this browser's. Where it does, it is the key that was entered.
 */
export function readSecret(): string {
  try {
    const kept = localStorage.getItem(storageKey);
    if (kept !== null && kept !== '') return kept;
  } catch {
    // Storage is off: the page works, and forgets when it is closed.
  }
  return keepSecret(makeOwn());
}

let inMemory: string | undefined;

export function keepSecret(secret: string): string {
  inMemory = secret;
  try {
    localStorage.setItem(storageKey, secret);
  } catch {
    // As above.
  }
  return secret;
}

/** The secret of this page, asked for at each call. */
export function currentSecret(): string {
  return (inMemory ??= readSecret());
}

/** Forgets the key; the page is a stranger again. */
export function dropSecret(): void {
  keepSecret(makeOwn());
}

/** Whether somebody entered it. */
export function isEntered(secret: string): boolean {
  return !secret.startsWith(ownPrefix);
}

function makeOwn(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return ownPrefix + btoa(String.fromCharCode(...bytes)).replaceAll(/[+/=]/g, '');
}
