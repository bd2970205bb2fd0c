/** A file system that refuses to give a file its name: of one without hard links, or that is full just then. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { fileConnector } from './file-connector.ts';

const refusal = vi.hoisted(() => ({ code: '' }));
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  link: async () => {
    throw Object.assign(new Error(refusal.code), { code: refusal.code });
  },
}));

it.each([
  ['EPERM', 'refused', 'E_TARGET_SETUP'],
  ['ENOTSUP', 'refused', 'E_TARGET_SETUP'],
  ['ENOSPC', 'refused', 'E_TARGET_FULL'],
  // Of a file system behind a network.
  ['ETIMEDOUT', 'unknown', 'E_TARGET_BUSY'],
])('%s when a file gets its name: %s, %s, and a probe says so', async (refused, kind, code) => {
  refusal.code = refused;
  const root = mkdtempSync(join(tmpdir(), 'headgate-out-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const target = fileConnector.open(openOptions(fileConnector, { settings: {}, connection: { root } }));
  const signal = new AbortController().signal;
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind, code });
  expect(await target.probe(signal)).toMatchObject({ isReachable: false, code });
  expect(readdirSync(root)).toEqual([]);
});
