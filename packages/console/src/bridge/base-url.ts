/** `api/bridge/jobs` → the URL of it. A path that the bridge wrote (`/bridge/api/…`) is already whole. */
export function bridgeUrl(path: string): string {
  // Where the bridge lies: the page's own folder, whatever path a proxy gave it.
  const base = new URL('.', document.baseURI);
  return new URL(path, path.startsWith('/') ? base.origin : base).href;
}
