/**
 * Tests that need something of the machine: where it is absent they are skipped by name, and where HEADGATE_REQUIRE names it
 * they fail, so that CI can't lose them silently.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { findNativeFolder } from '../../src/platform/postgres/embedded-binaries.ts';
import { azuriteProgram } from './azurite.ts';
import { findProgram } from './debian-programs.ts';
import { privateMounts } from './private-mounts.ts';

/** Component → whether it is here. */
const detectors = {
  postgres: () => process.env['HEADGATE_TEST_POSTGRES'] !== undefined || findNativeFolder() !== '',
  strace: () => spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0,
  'user-namespaces': () => spawnSync('unshare', ['--user', '--map-user=65534', '--', 'true'], { stdio: 'ignore' }).status === 0,
  /** Files of /etc can be others for one process: root, in a container that lets it. */
  'private-mounts': () =>
    spawnSync('unshare', [...privateMounts, 'mount', '--bind', '/etc/passwd', '/etc/shadow'], { stdio: 'ignore' }).status === 0,
  root: () => process.getuid?.() === 0,
  /** Other users can read the project: not so for a clone under root's home. */
  'open-project': () =>
    spawnSync('setpriv', ['--reuid=12345', '--regid=12345', '--clear-groups', 'test', '-r', import.meta.filename]).status === 0,
  'shared-data': () => existsSync(sharedDataFolder),
  sftp: () => findProgram('sftp') !== null,
  openssl: () => spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0,
  sshd: () => findProgram('sshd') !== null,
  gpg: () => findProgram('gpg') !== null,
  rabbitmq: () => findProgram('rabbitmq') !== null,
  kafka: () => findProgram('kcat') !== null && (process.env['HEADGATE_TEST_KAFKA'] !== undefined || findProgram('python3') !== null),
  python3: () => findProgram('python3') !== null,
  zip: () => findProgram('zip') !== null,
  mariadb: () => findProgram('mariadb') !== null,
  moto: () => findProgram('moto') !== null,
  azurite: () => existsSync(azuriteProgram),
  apt: () => spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0,
} as const;

export type Component = keyof typeof detectors;

/** Public files with their verdicts: `HEADGATE_TEST_DATA`, else beside the project. */
export const sharedDataFolder = process.env['HEADGATE_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data');

const found = new Map<Component, boolean>();

export function hasComponent(component: Component): boolean {
  let isHere = found.get(component);
  if (isHere === undefined) {
    try {
      isHere = detectors[component]();
    } catch {
      isHere = false;
    }
    found.set(component, isHere);
  }
  return isHere;
}

/** `itWith('strace')('fsync comes before COMMIT', …)`. */
export function itWith(...components: Component[]): (name: string, fn: () => Promise<void> | void, timeoutMs?: number) => void {
  const missing = components.filter((component) => !hasComponent(component));
  const required = (process.env['HEADGATE_REQUIRE'] ?? '').split(',').map((name) => name.trim());
  const demanded = missing.filter((component) => required.includes(component));
  return (name, fn, timeoutMs) => {
    if (missing.length === 0) it(name, fn, timeoutMs);
    else if (demanded.length > 0) {
      it(name, () => {
        throw new Error(`HEADGATE_REQUIRE names ${demanded.join(', ')}, which is absent here`);
      });
    } else it.runIf(false)(`${name} (skipped: no ${missing.join(', ')})`, fn, timeoutMs);
  };
}
