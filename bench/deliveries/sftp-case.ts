/** sftp against ssh2 alone at an OpenSSH server: a temporary file, fsync, read back, rename; a login for each lane on both sides. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, type SFTPWrapper } from 'ssh2';
import { findProgram } from '../../test/support/debian-programs.ts';
import { type Sshd, startSshd } from '../../test/support/sshd.ts';
import type { BenchContext } from '../bench-context.ts';
import type { BenchBatch } from './delivery-batches.ts';
import { type CaseMaker, lanes, openTarget } from './delivery-case.ts';
import { filesIn, moveAway } from './sent-files.ts';

export const sftpCase: CaseMaker = {
  connector: 'sftp',
  sizes: { batched: 200_000, single: 1_000 },
  missing: () => (findProgram('sshd') === null ? 'sshd' : null),
  async make(context: BenchContext) {
    const folder = join(context.folder, 'delivery-sftp');
    mkdirSync(folder);
    const sshd = await startSshd({ folder });
    const { target } = await openTarget({
      target: '{ type: sftp, connection: c, name: "{number}.ndjson" }',
      connection: `{ type: sftp, host: 127.0.0.1, port: ${sshd.port}, user: ${sshd.username}, privateKey: "env:HEADGATE_SECRET_BENCH__P", hostKeys: ["${sshd.hostKey.publicKey}"] }`,
      password: sshd.clientKey.privateKey,
    });
    const logins = await Promise.all(Array.from({ length: lanes }, () => logIn(sshd)));
    return {
      connector: 'sftp',
      against: 'ssh2',
      target,
      sendBare: (batch, lane) => sendBare(logins[lane]!.sftp, batch),
      taken: async () => filesIn(folder),
      reset: async () => moveAway(folder),
      async close() {
        for (const { client } of logins) client.end();
        await target.close();
        await sshd.stop();
      },
    };
  },
};

async function logIn(sshd: Sshd): Promise<{ readonly client: Client; readonly sftp: SFTPWrapper }> {
  const client = new Client();
  const { host, port, username, clientKey } = sshd;
  await new Promise<void>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject);
    client.connect({ host, port, username, privateKey: clientKey.privateKey });
  });
  client.setNoDelay(true);
  return { client, sftp: await promisify<SFTPWrapper>((done) => client.sftp(done))() };
}

async function sendBare(sftp: SFTPWrapper, { batch }: BenchBatch): Promise<void> {
  const name = `${batch.number}.ndjson`;
  const temporary = `.${batch.batchId}`;
  const isTaken = await new Promise<boolean>((resolve) => sftp.lstat(name, (error) => resolve(error === undefined)));
  if (isTaken) throw new Error(`${name} is there already`);
  const [body] = batch.body.pieces() as readonly Buffer[];
  const written = await promisify<Buffer>((done) => sftp.open(temporary, 'wx', done))();
  await promisify((done: (error?: Error | null) => void) => sftp.write(written, body!, 0, body!.length, 0, done))();
  await promisify((done: (error?: Error | null) => void) => sftp.ext_openssh_fsync(written, done))();
  await promisify((done: (error?: Error | null) => void) => sftp.close(written, done))();
  const stored = await promisify<Buffer>((done) => sftp.readFile(temporary, done))();
  if (createHash('sha256').update(stored).digest('hex') !== batch.body.sha256) throw new Error(`${name} is not what was sent`);
  await promisify((done: (error?: Error | null) => void) => sftp.rename(temporary, name, done))();
}
