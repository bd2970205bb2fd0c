import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runHeadgate } from '../../test/support/headgate-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-port-'));
let taken: Server;
let port: string;

beforeAll(async () => {
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  port = String((taken.address() as { port: number }).port);
});
afterAll(async () => {
  await new Promise((resolve) => taken.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

it.each([['serve'], ['demo']])('%s at a port that is in use says so, and what to do', async (verb) => {
  const { code, stderr } = await runHeadgate([verb, '--data-dir', join(folder, verb)], { env: { HEADGATE_PORT: port } });
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`error E_PORT_IN_USE: 127\\.0\\.0\\.1:${port} is in use by another process\ntry: .*HEADGATE_PORT`));
});

it('a host that is no address of this machine says so', async () => {
  const { code, stderr } = await runHeadgate(['serve', '--host', '192.0.2.1', '--port', '0', '--data-dir', join(folder, 'host')]);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^error E_HOST: 192\.0\.2\.1 is no address of this machine\ntry: Correct HEADGATE_HOST/),
  ]);
});
