/** What a client may ask of its socket, beside its `clientId`. What is missing or not understood has its default. */
export interface SocketQuery {
  /** `previews=1`: live preview pictures as binary frames. */
  previews: boolean;
  /** `events=2`: text frames carry more fields. */
  extended: boolean;
  /** `after=<seq>`: the last event that the client has heard; nothing up to it is told again. */
  after: number | undefined;
  /**
   * `leave=cancel|keep|<seconds>`: what becomes of its job when it goes: given up at once, kept for good, or given up after
   * so many seconds. In ms; undefined: as configured.
   */
  graceMs: number | undefined;
}

const maxGraceSeconds = 86_400;

/** Pure. A `leave` that cannot be read comes back as a complaint. */
export function readSocketQuery(
  query: URLSearchParams,
): { ok: true; query: SocketQuery } | { ok: false; detail: string } {
  const leave = readLeave(query.get('leave'));
  if (leave === 'wrong') {
    return { ok: false, detail: `leave is cancel, keep, or a number of seconds up to ${maxGraceSeconds}` };
  }
  const after = query.get('after') ?? '';
  return {
    ok: true,
    query: {
      previews: query.get('previews') === '1',
      extended: query.get('events') === '2',
      after: /^\d{1,15}$/.test(after) ? Number(after) : undefined,
      graceMs: leave,
    },
  };
}

function readLeave(value: string | null): number | undefined | 'wrong' {
  if (value === null || value === '') return undefined;
  if (value === 'cancel') return 0;
  if (value === 'keep') return Number.POSITIVE_INFINITY;
  const seconds = /^\d{1,5}(\.\d{1,3})?$/.test(value) ? Number(value) : Number.NaN;
  return seconds <= maxGraceSeconds ? seconds * 1000 : 'wrong';
}
