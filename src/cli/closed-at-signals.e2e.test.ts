import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { startCommand } from '../../test/support/headgate-command.ts';
import { temporaryFolder } from '../../test/support/temporary-store.ts';

it('commands that are ended by a signal leave no PostgreSQL behind that they started', async () => {
  const dataDir = join(temporaryFolder(), 'data');
  const uses = join(dataDir, 'postgres-uses');
  const isRunning = () => {
    const { port } = JSON.parse(readFileSync(join(dataDir, 'postgres-access.json'), 'utf8')) as { port: number };
    const socket = connect(port, '127.0.0.1');
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    }).finally(() => socket.destroy());
  };
  for (const [argv, signal, code] of [
    [['migrate', 'up'], 'SIGTERM', 143],
    [['tenant', 'list'], 'SIGINT', 130],
  ] as const) {
    const command = startCommand([...argv, '--data-dir', dataDir]);
    await vi.waitUntil(() => existsSync(uses) && readdirSync(uses).length > 0, { timeout: 60_000, interval: 5 });
    expect(await isRunning()).toBe(true);
    command.signal(signal);
    expect(await command.ended).toEqual({ code, stdout: '', stderr: expect.stringMatching(/^error E_INTERRUPTED: .*\n/) });
    expect([await isRunning(), readdirSync(uses)]).toEqual([false, []]);
  }
});
