/** F7: what a crash or a debugger could take from a process that `bin/headgate` started. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { freePort, projectRoot } from '../simulation/served-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-crash-'));
let database: TestDatabase;
let child: ChildProcess;
let errors = '';
let url: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  // Whoever starts it has core dumps on, as far as the system lets them.
  const start = 'ulimit -S -c "$(ulimit -H -c)"; exec "$0" serve';
  child = spawn('sh', ['-c', start, join(projectRoot, 'bin/headgate')], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HEADGATE_ROLES: 'api',
      HEADGATE_PORT: String(port),
      HEADGATE_DATA_DIR: join(folder, 'data'),
      HEADGATE_DATABASE_URL: database.url,
    },
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const isReady = async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok === true;
  await vi.waitUntil(isReady, { timeout: 60_000, interval: 50 });
});
afterAll(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

it('a process cannot dump its memory, and cannot be made to again', () => {
  const limits = readFileSync(`/proc/${child.pid}/limits`, 'utf8');
  expect(limits).toMatch(/^Max core file size +0 +0 /m);
});

it('a signal opens no debugger', async () => {
  child.kill('SIGUSR1');
  // Each answer takes longer than it takes a process to listen for a debugger.
  for (let asked = 0; asked < 20; asked++) expect((await fetch(`${url}/readyz`)).ok).toBe(true);
  expect(errors).not.toContain('Debugger');
  expect(readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')).toMatch(/headgate\.(?:ts|cjs)/);
});
