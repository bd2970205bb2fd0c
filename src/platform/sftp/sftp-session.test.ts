import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { expect, it, onTestFinished, vi } from 'vitest';
import { systemPorts } from '../base/system-ports.ts';
import { readHostKeyPin } from './host-keys.ts';
import { makeEd25519Key } from './new-keys.ts';
import { openSftpSession } from './sftp-session.ts';

/** Opens the channel, and never says which version of SFTP it speaks. */
async function startMute(onSftp: () => void) {
  const keys = makeEd25519Key();
  let open = 0;
  const server = new ssh2.Server({ hostKeys: [keys.privateKey] }, (client) => {
    open += 1;
    client.on('error', () => {});
    client.on('close', () => (open -= 1));
    client.on('authentication', (context) => context.accept());
    client.on('session', (accept) => {
      accept().on('subsystem', (acceptSftp) => {
        acceptSftp();
        onSftp();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, hostKeys: [readHostKeyPin(keys.publicKey)!], open: () => open };
}

it('a session that nobody waits for any more is ended at once, while its server says nothing', async () => {
  const attempt = new AbortController();
  const { port, hostKeys, open } = await startMute(() => attempt.abort());
  const opening = openSftpSession({
    addresses: ['127.0.0.1'],
    port,
    user: 'acme',
    hostKeys,
    credentials: { kind: 'password', password: 'right' },
    timeoutMs: 10_000,
    signal: attempt.signal,
    ...systemPorts,
  });
  await expect(opening).rejects.toMatchObject({ kind: 'lost' });
  await vi.waitUntil(() => open() === 0, 60_000);
});
