import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../../test/support/child-server.ts';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { mysqlConnector } from './mysql-connector.ts';

const packet = (sequence: number, ...parts: readonly (string | readonly number[])[]) => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
  return Buffer.concat([Buffer.from([body.length & 0xff, body.length >> 8, 0, sequence]), body]);
};
const zeros = (length: number) => Array.from({ length }, () => 0);
/** Protocol 10 with mysql_native_password. */
const greeting = packet(
  0,
  [10],
  '8.0.36\0',
  [1, 0, 0, 0],
  'saltsalt\0',
  [0x09, 0xa2, 45, 2, 0, 0x08, 0, 21],
  zeros(10),
  'saltsaltsalt\0',
  'mysql_native_password\0',
);
const okay = (sequence: number) => packet(sequence, [0, 0, 0, 2, 0, 0, 0]);

/** Lets everybody in and gives the answer to the first command, and to what comes of it. Answers all that it was sent. */
async function startHostileServer(answer: Buffer): Promise<{ port: number; received(): string }> {
  const sockets = new Set<Socket>();
  let received = '';
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const answers = [okay(2), answer, okay(3)];
    socket.write(greeting);
    socket.on('data', (data) => {
      received += data.toString('latin1');
      const next = answers.shift();
      if (next === undefined) socket.destroy();
      else socket.write(next);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { port: (server.address() as { port: number }).port, received: () => received };
}

const targetAt = (port: number) =>
  mysqlConnector.open(
    openOptions(mysqlConnector, {
      settings: { table: 'credit' },
      connection: { host: '127.0.0.1', port, database: 'd', user: 'u', password: 'env:P', tls: 'disable' },
      env: { P: 'p' },
    }),
  );

async function deliverTo(port: number) {
  const target = targetAt(port);
  try {
    return await target.deliver(outgoing(['a']), new AbortController().signal);
  } finally {
    await target.close();
  }
}

it('C4: a server that asks for a file of this machine gets none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-mysql-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'file');
  writeFileSync(file, 'swordfish');
  const server = await startHostileServer(packet(1, [0xfb], file));
  expect(await deliverTo(server.port)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_UNREACHABLE' });
  expect(server.received()).toContain('/* session */');
  expect(server.received()).not.toContain('swordfish');
});

it('a server that is not there is told as such, and an attempt and a probe say the same', async () => {
  const port = await freePort();
  const refused = { code: 'E_TARGET_UNREACHABLE', message: 'no connection could be made (ECONNREFUSED)' };
  expect(await deliverTo(port)).toEqual({ kind: 'refused', retryable: true, ...refused });
  const target = targetAt(port);
  expect(await target.probe(new AbortController().signal)).toMatchObject({ isReachable: false, ...refused });
  await target.close();
});
