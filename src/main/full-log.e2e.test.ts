import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { freePort } from '../../test/support/child-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-full-log-'));
let end: (() => Promise<unknown>) | undefined;

afterEach(async () => {
  await end?.();
  rmSync(folder, { recursive: true, force: true });
});

it('a server whose log is on a full disk starts, serves and stops as it does with one', async () => {
  const port = await freePort();
  const full = openSync('/dev/full', 'w');
  const child = spawn(join(import.meta.dirname, '../../bin/headgate'), ['serve'], {
    stdio: ['ignore', 'ignore', full],
    env: { ...process.env, HEADGATE_DATA_DIR: join(folder, 'data'), HEADGATE_PORT: String(port), HEADGATE_LOG_LEVEL: 'info' },
  });
  closeSync(full);
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  end = () => {
    child.kill('SIGKILL');
    return ended;
  };
  const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
  await vi.waitFor(async () => {
    if (child.exitCode !== null) return;
    expect(await ready()).toBe(200);
  }, 60_000);
  expect(child.exitCode).toBeNull();
  // What it says of its end is lost as well.
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});
