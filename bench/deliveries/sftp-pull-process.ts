/** A process that pulls a file as an SFTP source pulls it, as often as it is told to: alone, as the `sftp` command is, and as roles apart are. */
import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createSftpPlaces } from '../../src/pipeline/arrivals/sftp/sftp-places.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { createSecretResolver } from '../../src/platform/secrets/secret-resolver.ts';
import type { Measured } from '../comparison.ts';

export interface PullRequest {
  readonly remote: string;
  readonly name: string;
  readonly to: string;
  readonly keyFile: string;
  readonly server: { readonly port: number; readonly user: string; readonly hostKey: string };
}

process.on('message', (request: PullRequest) => void pull(request).then((measured) => process.send!(measured)));

async function pull({ remote, name, to, keyFile, server: { port, user, hostKey } }: PullRequest): Promise<Measured> {
  rmSync(to, { force: true });
  const startedAt = performance.now();
  const places = createSftpPlaces({
    secrets: { of: () => createSecretResolver({ env: {}, limits: null }) },
    resolveHost: async () => ['127.0.0.1'],
    ports: systemPorts,
  });
  const server = {
    host: '127.0.0.1',
    port,
    user,
    password: null,
    privateKey: `file:${keyFile}`,
    passphrase: null,
    hostKeys: [hostKey],
  };
  const onTurn = async () => {};
  try {
    const source = {
      type: 'sftp',
      root: remote,
      path: '.',
      server,
      tenant: 'bench',
      egress: { allowPrivate: ['127.0.0.1/32'], allowPlain: false },
    };
    const place = await places.open({ key: 'bench', source: source as never, onTurn });
    const { entries } = await place.look((found) => found === name);
    const file = await open(to, 'wx');
    for await (const piece of place.read(entries[0])) await file.write(piece);
    await file.close();
    place.close();
  } finally {
    places.close();
  }
  return { seconds: (performance.now() - startedAt) / 1_000, rssBytes: process.memoryUsage.rss() };
}
