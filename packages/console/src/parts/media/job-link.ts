import type { BridgeJob, CreatedLink, SharedResults } from '@comfy-bridge/protocol';

import { bridgeUrl } from '../../bridge/base-url.ts';
import { call } from '../../bridge/call.ts';

/** What a link shows, with the link itself. */
export interface OpenedLink {
  link: CreatedLink;
  shared: SharedResults;
}

/** A link is asked for anew before it ends, so that a download that begins now is not cut. */
const marginMs = 5 * 60_000;
const maxLinks = 500;
const links = new Map<string, Promise<CreatedLink>>();

/**
 * The results of a job under URLs that pictures, players and downloads can open: those send no key. One link a job, kept while it
 * is good.
 */
export async function openJobLink(job: Pick<BridgeJob, 'id'>, signal?: AbortSignal): Promise<OpenedLink> {
  const known = links.get(job.id);
  let link = known === undefined ? undefined : await known.catch(() => undefined);
  if (link === undefined || Date.parse(link.expires_at) - Date.now() < marginMs)
    link = await makeLink(job.id);
  return { link, shared: await call<SharedResults>(linkPath(link), { signal }) };
}

/** A link that is good for as long as the results are kept: to be given to others. */
export async function makeLastingLink(job: Pick<BridgeJob, 'id' | 'expires_at'>): Promise<CreatedLink> {
  const seconds = Math.max(60, Math.floor((Date.parse(job.expires_at) - Date.now()) / 1000));
  return await call<CreatedLink>(`api/bridge/jobs/${job.id}/links`, {
    method: 'POST',
    body: { expires_in: seconds },
  });
}

/** Within the page's own folder: behind a proxy, the bridge may not know how it is reached from outside. */
export function linkPath({ token }: Pick<CreatedLink, 'token'>): string {
  return `api/bridge/links/${encodeURIComponent(token)}`;
}

/** The page that shows a link, for others. */
export function linkPage({ token }: Pick<CreatedLink, 'token'>): string {
  return bridgeUrl(`#/shared/${encodeURIComponent(token)}`);
}

/** Of a job that was retried or forgotten nothing is kept. */
export function forgetJobLink(id: string): void {
  links.delete(id);
}

function makeLink(id: string): Promise<CreatedLink> {
  const made = call<CreatedLink>(`api/bridge/jobs/${id}/links`, { method: 'POST', body: {} });
  links.delete(id);
  links.set(id, made);
  for (const oldest of links.keys()) {
    if (links.size <= maxLinks) break;
    links.delete(oldest);
  }
  made.catch(() => links.delete(id));
  return made;
}
