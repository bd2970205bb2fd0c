/** A file system that refuses to give a file its name: of one without hard links, or that is full just then. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const fixture = (name: string) => JSON.stringify(join(import.meta.dirname, name));

/** As the runtime throws it: what it has no name for by number. */
function thrown(code: string): object {
  const unnamed: Record<string, number> = { ESTALE: -116, EDQUOT: -122 };
  const errno = unnamed[code];
  return errno === undefined ? { code } : { code: `Unknown system error ${errno}`, errno };
}

/** In a process of its own, in which `link` fails so. */
function deliverAndProbe(root: string, refused: object): unknown {
  const script = `
    import files from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    files.link = async () => { throw Object.assign(new Error('refused'), ${JSON.stringify(refused)}); };
    syncBuiltinESMExports();
    const { fileConnector } = await import(${fixture('file-connector.ts')});
    const { openOptions, outgoing } = await import(${fixture('../connector-contract.fixture.ts')});
    const target = fileConnector.open(openOptions(fileConnector, { settings: {}, connection: { root: ${JSON.stringify(root)} } }));
    const { signal } = new AbortController();
    console.log(JSON.stringify([await target.deliver(outgoing(['a']), signal), await target.probe(signal)]));`;
  const child = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], { encoding: 'utf8' });
  return JSON.parse(child.stdout);
}

it.each([
  ['EPERM', 'refused', 'E_TARGET_SETUP'],
  ['ENOTSUP', 'refused', 'E_TARGET_SETUP'],
  ['ENOSPC', 'refused', 'E_TARGET_FULL'],
  ['EDQUOT', 'refused', 'E_TARGET_FULL'],
  // Of a file system behind a network.
  ['ETIMEDOUT', 'unknown', 'E_TARGET_BUSY'],
  ['ESTALE', 'unknown', 'E_TARGET_BUSY'],
])('%s when a file gets its name: %s, %s, and a probe says so', (refused, kind, code) => {
  const root = mkdtempSync(join(tmpdir(), 'headgate-out-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  expect(deliverAndProbe(root, thrown(refused))).toMatchObject([
    { kind, code },
    { isReachable: false, code },
  ]);
  expect(readdirSync(root)).toEqual([]);
});
