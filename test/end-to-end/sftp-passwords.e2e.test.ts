/** Passwords of accounts at a real OpenSSH, which checks them itself: of a source that collects there, and of a target that puts files there. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { createSftpWorld } from '../../src/pipeline/arrivals/sftp/sftp-world.fixture.ts';
import { openOptions, outgoing } from '../../src/pipeline/connectors/connector-contract.fixture.ts';
import { sftpConnector } from '../../src/pipeline/connectors/sftp/sftp-connector.ts';
import { itWith } from '../support/components.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const it = itWith('sshd', 'private-mounts', 'openssl');
const [first, second] = ['correct horse', 'battery staple'] as const;
const signal = new AbortController().signal;

async function start(folder: string): Promise<Sshd> {
  const sshd = await startSshd({ folder, password: first });
  onTestFinished(() => sshd.stop());
  return sshd;
}

const logins = (sshd: Sshd) => ({
  accepted: [...sshd.log().matchAll(/Accepted password for partner/g)].length,
  failed: [...sshd.log().matchAll(/Failed password for partner/g)].length,
});

/** The server's log comes a little after its answers. */
async function expectLogins(sshd: Sshd, counts: ReturnType<typeof logins>): Promise<void> {
  await vi.waitFor(() => expect(logins(sshd)).toEqual(counts), 60_000);
}

describe('the password of an account at OpenSSH', () => {
  it('lets a source in, is refused once for each poll where it is wrong, and is used at once where it was exchanged', async () => {
    const sshd = await start('/');
    const world = await createSftpWorld(database, sshd);
    world.setServer({ privateKey: null, password: `file:${world.secretFile}` });
    writeFileSync(world.secretFile, first);
    world.put('a.csv', 'x,1.00\n');
    expect((await world.poll()).verdicts.accepted).toBe(1);
    sshd.setPassword(second);
    world.put('b.csv', 'x,2.00\n');
    // A connection that is kept needs no login.
    expect((await world.poll()).verdicts.accepted).toBe(1);
    await expectLogins(sshd, { accepted: 1, failed: 0 });
    world.put('c.csv', 'x,3.00\n');
    for (const failed of [1, 2]) {
      const refusal = await world.pollAnew().catch((error: Error) => error);
      expect(refusal).toMatchObject({ code: 'E_SOURCE_CREDENTIALS', message: expect.stringContaining('refused the user') });
      expect(String(refusal)).not.toContain(first);
      await expectLogins(sshd, { accepted: 1, failed });
    }
    writeFileSync(world.secretFile, second);
    expect((await world.poll()).verdicts.accepted).toBe(1);
    expect([world.names(), await world.jobs()]).toEqual([[], 3]);
    await expectLogins(sshd, { accepted: 2, failed: 2 });
  });

  it('lets a target in, is refused once for each attempt where it is wrong, and is used at once where it was exchanged', async () => {
    const remote = temporaryFolder();
    mkdirSync(join(remote, 'in'));
    const sshd = await start(remote);
    const env = { P: first as string };
    const target = sftpConnector.open(
      openOptions(sftpConnector, {
        settings: { path: 'in', name: '{job}.csv' },
        connection: { host: '127.0.0.1', port: sshd.port, user: sshd.username, password: 'env:P', hostKeys: [sshd.hostKey.publicKey] },
        env,
        target: { timeoutMs: 10_000 },
      }),
    );
    onTestFinished(() => target.close());
    const deliver = () => target.deliver(outgoing(['a']), signal);
    expect(await deliver()).toMatchObject({ kind: 'acked' });
    sshd.setPassword(second);
    env.P = 'neither of them';
    for (const failed of [1, 2]) {
      const refusal = await deliver();
      expect(refusal).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
      expect(JSON.stringify(refusal)).not.toContain(env.P);
      await expectLogins(sshd, { accepted: 1, failed });
    }
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_FORBIDDEN' });
    env.P = second;
    expect(await deliver()).toMatchObject({ kind: 'acked' });
    expect(readdirSync(join(remote, 'in'))).toHaveLength(2);
    await expectLogins(sshd, { accepted: 2, failed: 3 });
  });
});
