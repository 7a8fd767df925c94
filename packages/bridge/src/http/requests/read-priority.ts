import type { Request } from 'express';

/**
 * How urgent a request says it is, from the `Priority` header of RFC 9218 (`u=0` to `u=7`, 3 when it does not say), as
 * steps above normal. Everybody may step back behind others; only an operator may step ahead, anybody else's wish counts as
 * normal: the header is a hint.
 */
export function readPriority(request: Request, { isOperator }: { isOperator: boolean }): number {
  const header = request.headers['priority'];
  const urgency = /(?:^|[,\s])u=(?<urgency>[0-7])(?:$|[,;\s])/.exec(typeof header === 'string' ? header : '');
  const steps = 3 - Number(urgency?.groups?.['urgency'] ?? 3);
  return isOperator ? steps : Math.min(0, steps);
}
