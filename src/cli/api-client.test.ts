import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-store.ts';
import { createApiClient } from './api-client.ts';

it('a request that is not answered in time is not said to have found nobody', async () => {
  const usual = getGlobalDispatcher();
  setGlobalDispatcher(new Agent({ headersTimeout: 50 }));
  const server = createServer(() => {});
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    setGlobalDispatcher(usual);
    server.closeAllConnections();
    server.close();
  });
  const keyFile = join(temporaryFolder(), 'key');
  writeFileSync(keyFile, 'hg_live_abc', { mode: 0o600 });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createApiClient({ positionals: [], options: { url, 'key-file': keyFile } }, {});
  const refused = client.post('/v1/jobs/1/cancel', {});
  await expect(refused).rejects.toMatchObject({ code: 'E_API_UNREACHABLE', message: `${url} has the request and did not answer in time` });
});
