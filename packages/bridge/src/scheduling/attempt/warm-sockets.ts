import { randomUUID } from 'node:crypto';

import type { Backend } from '../../backends/fleet.ts';
import { noteLending } from '../../backends/lending.ts';
import type { ComfyMessage } from '../../comfy/comfy-messages.ts';
import type { ComfySocket } from '../../comfy/comfy-socket.ts';
import type { Events } from '../../events.ts';
import type { Logger } from '../../logging.ts';

export interface SocketHandlers {
  onMessage: (message: ComfyMessage) => void;
  onClose: () => void;
}

/**
 * The sockets of attempts, each under an id of its own that is also its prompt's. When one was used on a backend, the next is
 * opened ahead of time, so that the handshake is off the next job's path; an id still serves one prompt and never a second.
 */
export interface WarmSockets {
  /** The id for a new prompt: that of the backend's spare socket, or a fresh one. */
  newPromptId(backend: Backend): string;
  /** The socket of that id: the spare if it was one and is still open, else a new one. Rejects with `ComfyError`. */
  open(backend: Backend, clientId: string, handlers: SocketHandlers): Promise<ComfySocket>;
  close(): void;
}

interface Spare {
  readonly clientId: string;
  readonly backend: Backend;
  /** Undefined while it opens. */
  socket: ComfySocket | undefined;
  handlers: SocketHandlers | undefined;
}

/** A spare whose id was taken is soon asked for; if not, its job was given up. */
const claimMs = 30_000;

export function createWarmSockets(
  { events, log, now = Date.now }: { events: Events; log: Logger; now?: () => number },
  { connectTimeoutMs }: { connectTimeoutMs: number },
): WarmSockets {
  /** At most one for each backend. */
  const spares = new Map<Backend, Spare>();
  /** By id: taken for a prompt and not asked for yet. */
  const claimed = new Map<string, { spare: Spare; timer: NodeJS.Timeout }>();
  let closed = false;

  function connect(backend: Backend, clientId: string, handlers: SocketHandlers): Promise<ComfySocket> {
    const { onMessage, onClose } = handlers;
    return backend.client.openSocket({
      ...{ clientId, deadlineMs: connectTimeoutMs, log, onClose },
      onMessage(message) {
        if (message.type === 'donor-status') noteLending({ events, now }, backend, message.status);
        onMessage(message);
      },
    });
  }

  async function openSpare(backend: Backend): Promise<void> {
    if (
      closed ||
      spares.has(backend) ||
      backend.state.status !== 'ready' ||
      backend.settings.mode !== 'active' ||
      backend.quarantine !== null
    )
      return;
    const spare: Spare = { clientId: randomUUID(), backend, socket: undefined, handlers: undefined };
    spares.set(backend, spare);
    try {
      const socket = await connect(backend, spare.clientId, {
        onMessage: (message) => (spare.handlers?.onMessage ?? hear)(message),
        onClose: () => (spare.handlers === undefined ? drop(spare) : spare.handlers.onClose()),
      });
      if (spares.get(backend) === spare) spare.socket = socket;
      else socket.terminate();
    } catch (error) {
      drop(spare);
      log.debug({ backend: backend.name, err: error }, 'could not open a socket ahead of time');
    }

    /** All that a socket without a prompt hears is how long the queue is. */
    function hear(message: ComfyMessage): void {
      if (message.type !== 'status' || message.queueRemaining === undefined) return;
      const isShorter = message.queueRemaining < backend.queueRemaining;
      backend.queueRemaining = message.queueRemaining;
      if (isShorter) events.emit('backend:capacity', { backend: backend.name });
    }
  }

  /** Forgets one that nobody uses, and ends it. */
  function drop(spare: Spare): void {
    if (spares.get(spare.backend) === spare) spares.delete(spare.backend);
    unclaim(spare.clientId);
    spare.socket?.terminate();
  }

  function unclaim(clientId: string): Spare | undefined {
    const claim = claimed.get(clientId);
    clearTimeout(claim?.timer);
    claimed.delete(clientId);
    return claim?.spare;
  }

  /** When the attempt is done with its socket, there is time for the next. */
  function lend(backend: Backend, socket: ComfySocket): ComfySocket {
    let isBack = false;
    function giveBack(): void {
      if (isBack) return;
      isBack = true;
      socket.terminate();
      void openSpare(backend);
    }
    return {
      clientId: socket.clientId,
      get isOpen() {
        return socket.isOpen;
      },
      terminate: giveBack,
      [Symbol.dispose]: giveBack,
    };
  }

  function dropAt({ backend: name }: { backend: string }): void {
    for (const spare of spares.values()) if (spare.backend.name === name) drop(spare);
  }
  const unsubscribe = [events.on('backend:lost', dropAt), events.on('backend:removed', dropAt)];

  return {
    newPromptId(backend) {
      const spare = spares.get(backend);
      if (spare?.socket?.isOpen !== true) return randomUUID();
      spares.delete(backend);
      claimed.set(spare.clientId, { spare, timer: setTimeout(() => drop(spare), claimMs).unref() });
      return spare.clientId;
    },
    async open(backend, clientId, handlers) {
      const spare = unclaim(clientId);
      if (spare?.socket?.isOpen === true) {
        spare.handlers = handlers;
        return lend(backend, spare.socket);
      }
      return lend(backend, await connect(backend, clientId, handlers));
    },
    close() {
      closed = true;
      unsubscribe.forEach((off) => off());
      for (const spare of spares.values()) drop(spare);
      for (const { spare } of claimed.values()) drop(spare);
    },
  };
}
