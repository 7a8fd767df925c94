import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import { identityOf, mayAs } from './identity.ts';
import { isLocal, isOperator } from './require-operator.ts';

export interface GraphGuard {
  /** Whether the caller may run graphs of its own, beside the published workflows. */
  mayRunGraphs(request: Request): boolean;
}

/** A graph is a program: whoever may run any graph can reach whatever the nodes of a ComfyUI can reach. */
export function createGraphGuard({
  allow,
  operatorToken,
}: {
  allow: 'loopback' | 'operator' | 'everyone';
  operatorToken: string | undefined;
}): GraphGuard {
  return {
    mayRunGraphs(request) {
      const identity = identityOf(request);
      if (identity !== undefined && identity.workflows !== null) return false;
      if (allow === 'everyone') return true;
      // Whoever may publish a graph can run it anyway.
      if (mayAs(request, 'author') === true) return true;
      return isOperator(request, operatorToken) || (allow === 'loopback' && isLocal(request));
    },
  };
}

export function requireGraphs(guard: GraphGuard, request: Request): void {
  if (guard.mayRunGraphs(request)) return;
  throw new BridgeError(
    'forbidden',
    'this bridge runs published workflows only (GET /api/bridge/workflows): its operator can allow graphs of your own with ALLOW_ANY_WORKFLOW',
  );
}
