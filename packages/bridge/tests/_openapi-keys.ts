import type { Calls } from './_openapi-calls.ts';
import { parseBody } from './_requests.ts';

const nobody = { path: { id: 'nobody' } };
const proxied = { headers: { 'x-forwarded-for': '192.0.2.1' } };

/** Every operation on keys; without keys required, as an operator on this machine. */
export async function callKeys({ call }: Calls): Promise<void> {
  await call('createTicket', 201);
  await call('listAudit', 200);
  await call('listAudit', 400, { query: { limit: '0' } });
  await call('listAudit', 403, proxied);
  const created = await call('createKey', 201, {
    body: { name: 'shop', workflows: ['text-*'], expires_in: 60, limits: { unfinished_jobs: 5 } },
  });
  await call('createKey', 400, { body: { name: 'shop', role: 'king' } });
  const { id } = await parseBody<{ id: string }>(created);
  const path = { id };
  await call('listKeys', 200);
  await call('listKeys', 403, proxied);
  await call('getKey', 200, { path });
  await call('getKey', 404, nobody);
  await call('changeKey', 200, { path, body: { role: 'author', expires_in: null, workflows: null } });
  await call('changeKey', 404, { ...nobody, body: {} });
  await call('rotateKey', 200, { path, body: { overlap: 60 } });
  await call('rotateKey', 404, { ...nobody, body: {} });
  await call('revokeKey', 200, { path });
  await call('revokeKey', 404, nobody);
  await call('changeKey', 409, { path, body: { name: 'other' } });
}
