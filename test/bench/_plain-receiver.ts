// The least that can be done with an upload: the body goes to a file and is made durable; nothing is parsed or checked.
// Run as a process of its own with the target file as its argument; prints the port that it listens on.
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';

const directory = process.argv[2] ?? '.';
let received = 0;

const server = createServer((request, response) => {
  receive(request).then(
    () => response.end('{}'),
    () => response.destroy(),
  );
});

async function receive(request: NodeJS.ReadableStream): Promise<void> {
  const path = `${directory}/plain-${received++}`;
  await pipeline(request, createWriteStream(path, { highWaterMark: 2 * 1024 * 1024 }));
  await using handle = await open(path, 'r+');
  await handle.sync();
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
process.once('SIGTERM', () => server.close(() => process.exit(0)));
