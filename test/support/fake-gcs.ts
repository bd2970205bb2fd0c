/**
 * Our own fake of Google Cloud Storage (`gcs-service.ts`), on a loopback port, in memory: there is no emulator to install. It runs as
 * a process of its own, because the object store's calls hold up the thread that they are made on.
 */
import { join } from 'node:path';
import type { BlobServer } from './blob-server.ts';
import { freePort, startChildServer } from './child-server.ts';

const accessToken = 'ya29.fake-token_of.tests';
const readyMsMax = 60_000;

export async function startFakeGcs(): Promise<BlobServer> {
  const port = await freePort();
  const server = await startChildServer({
    command: process.execPath,
    args: [join(import.meta.dirname, 'gcs-service.ts'), String(port), accessToken],
    ready: /listening on/,
    readyMsMax,
  });
  return {
    port,
    connectionType: 'gcs',
    credentials: { kind: 'access-token', accessToken },
    otherCredentials: { kind: 'access-token', accessToken: 'ya29.another' },
    comparesOnRemove: true,
    etagIsOfContent: false,
    service: (bucket, at = port, host = 'blobs.bank.example') => ({ kind: 'gcs', bucket, endpoint: `http://${host}:${at}` }),
    async makeContainer(name) {
      const answer = await fetch(`http://127.0.0.1:${port}/storage/v1/b?project=bank`, {
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      });
      if (answer.status !== 200) throw new Error(`the bucket was not made: ${answer.status}`);
    },
    // Every object has a generation, in any bucket.
    keepVersions: async () => {},
    stop: () => server.kill(),
  };
}
