/** Prompt ids in a backend's queue, asked over HTTP. */
export async function readQueue(url: string): Promise<{ running: string[]; pending: string[] }> {
  const answer = await fetch(`${url}/queue`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(3_000),
  });
  const { queue_running: running, queue_pending: pending } = (await answer.json()) as Record<
    string,
    unknown[][]
  >;
  const ids = (items: unknown[][] = []) => items.map((item) => String(item[1]));
  return { running: ids(running), pending: ids(pending) };
}
