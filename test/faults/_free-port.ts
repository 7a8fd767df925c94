import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port that stays free while its owner is dead for a moment: below the range from which the system takes the ports of
 * outgoing connections, so that none of those can sit on it when the owner comes back.
 */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (await canListen(port)) return port;
  }
  throw new Error('no free port between 15000 and 30000');
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
