import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-store.ts';
import { ingestCommand } from './ingest.ts';

/** What a command is told by whatever answers every request so. */
async function ingestAt(status: number, answer: unknown): Promise<number | undefined> {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer)));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'key'), 'hg_live_abc', { mode: 0o600 });
  writeFileSync(join(folder, 'a.csv'), 'a,1.00\n');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = { url, 'key-file': join(folder, 'key'), flow: 'payments' };
  return (await ingestCommand.run({ positionals: [join(folder, 'a.csv')], options })) as number | undefined;
}

it.each([
  [200, {}],
  [200, null],
  [200, []],
  [201, { status: 'ok' }],
  [201, { state: 'accepted' }],
  [201, { state: 'of a later version', arrivalId: 'a' }],
  [201, { state: 'unpacked', arrivalId: 'a' }],
  [422, { error: 'no' }],
])('a file is not called taken by an answer that does not say so: %i %j', async (status, answer) => {
  await expect(ingestAt(status, answer)).rejects.toMatchObject({ code: 'E_API_UNREACHABLE' });
});
