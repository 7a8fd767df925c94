import type { Request } from 'express';

import { accountOf, ownerOf } from './owner-of.ts';
import { readPriority } from './read-priority.ts';

/** What a submit of any API says of who sends it. */
export interface Caller {
  /** Who shares the fleet fairly with the others. */
  owner: string;
  /** Whom the jobs belong to. */
  account: string;
  /** 0 is normal, more is sooner. */
  priority: number;
}

export function readCaller(request: Request, isOperator: (request: Request) => boolean): Caller {
  return {
    owner: ownerOf(request),
    account: accountOf(request),
    priority: readPriority(request, { isOperator: isOperator(request) }),
  };
}
