/**
 * An emulator of Amazon S3, moto, on a loopback port, in memory. It checks no signature: who may do what is not shown with it.
 * Ask `itWith('moto')` first.
 */
import type { BlobServer } from './blob-server.ts';
import { freePort, startChildServer } from './child-server.ts';
import { findProgram } from './debian-programs.ts';

const readyMsMax = 60_000;

export async function startMoto(): Promise<BlobServer> {
  const program = findProgram('moto');
  if (program === null) throw new Error('moto is not here: npm test brings it where it can');
  const port = await freePort();
  const server = await startChildServer({
    command: '/usr/bin/python3',
    args: [program.path, '-H', '127.0.0.1', '-p', String(port)],
    // Other names of its host would be those of buckets.
    env: { ...program.env, S3_IGNORE_SUBDOMAIN_BUCKETNAME: 'true' },
    ready: /Running on http/,
    readyMsMax,
  });
  return {
    port,
    connectionType: 's3',
    credentials: { kind: 'access-key', accessKeyId: 'test', secretAccessKey: 'test-secret' },
    otherCredentials: null,
    comparesOnRemove: false,
    etagIsOfContent: true,
    service: (bucket, at = port, host = 'blobs.bank.example') => ({
      kind: 's3',
      bucket,
      region: 'us-east-1',
      endpoint: `http://${host}:${at}`,
    }),
    async makeContainer(name) {
      const answer = await fetch(`http://127.0.0.1:${port}/${name}`, { method: 'PUT' });
      if (answer.status !== 200) throw new Error(`the bucket was not made: ${answer.status}`);
    },
    async keepVersions(name) {
      const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
      const answer = await fetch(`http://127.0.0.1:${port}/${name}?versioning`, { method: 'PUT', body });
      if (answer.status !== 200) throw new Error(`the bucket keeps no versions: ${answer.status}`);
    },
    stop: () => server.kill(),
  };
}
