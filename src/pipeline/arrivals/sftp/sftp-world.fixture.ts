/** A tenant with one flow whose source folder is polled at a real OpenSSH server, for tests of SFTP sources. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TestDatabase } from '../../../../test/support/postgres.ts';
import type { Sshd } from '../../../../test/support/sshd.ts';
import { temporaryFolder } from '../../../../test/support/temporary-store.ts';
import type { Ports } from '../../../platform/base/ports.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { createSecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import type { SftpServerPlan } from '../arrival-plan.ts';
import { createWorld, type World } from '../arrivals.fixture.ts';
import type { SourceEntry } from '../source-place.ts';
import { createSftpPlaces, type SftpPlaces } from './sftp-places.ts';

export type ServerOfTests = Pick<Sshd, 'host' | 'port' | 'username' | 'hostKey'> & Partial<Pick<Sshd, 'clientKey'>>;

export interface SftpWorld extends World {
  readonly sftp: SftpPlaces;
  /** A file, so that it can be exchanged. */
  readonly secretFile: string;
  /** Addresses that names of hosts were resolved to, in order. */
  readonly resolved: string[];
  setServer(server: Partial<SftpServerPlan>): void;
  /** Polls as a process does that has just started: without a connection. */
  pollAnew(options?: Parameters<World['poll']>[0]): ReturnType<World['poll']>;
}

/** Waits that are long for a person pass quickly. */
export const hastyPorts: Ports = {
  ...systemPorts,
  sleep: { sleep: (ms, signal) => systemPorts.sleep.sleep(ms / 5, signal) },
  clock: { ...systemPorts.clock, monotonicMs: () => systemPorts.clock.monotonicMs() * 5 },
};

export async function createSftpWorld(database: TestDatabase, server: ServerOfTests, ports: Ports = systemPorts): Promise<SftpWorld> {
  const world = await createWorld(database);
  const secretFile = join(temporaryFolder(), 'secret');
  writeFileSync(secretFile, server.clientKey?.privateKey ?? 'none', { mode: 0o600 });
  const resolved: string[] = [];
  const openPlaces = (): SftpPlaces => {
    const places = createSftpPlaces({
      secrets: { of: () => createSecretResolver({ env: {}, limits: null }) },
      resolveHost: async () => {
        resolved.push('127.0.0.1');
        return ['127.0.0.1'];
      },
      ports,
    });
    onTestFinished(() => places.close());
    return places;
  };
  const sftp = openPlaces();
  world.settings.server = {
    tenant: 'bank',
    egress: { allowPrivate: ['127.0.0.1/32'], allowPlain: false },
    server: {
      host: 'files.bank.example',
      port: server.port,
      user: server.username,
      password: null,
      privateKey: `file:${secretFile}`,
      passphrase: null,
      hostKeys: [server.hostKey.publicKey],
    },
  };
  return {
    ...world,
    sftp,
    secretFile,
    resolved,
    setServer(changes) {
      const settings = world.settings.server!;
      world.settings.server = { ...settings, server: { ...settings.server, ...changes } };
    },
    poll: (options) => world.poll({ sftp, ...options }),
    async pollAnew(options) {
      const fresh = openPlaces();
      try {
        return await world.poll({ sftp: fresh, ...options });
      } finally {
        fresh.close();
      }
    },
  };
}

/** Does something when a piece of a file was read, before the next one is asked for. */
export function duringReads(sftp: SftpPlaces, onPiece: (entry: SourceEntry, index: number) => Promise<void> | void): SftpPlaces {
  return {
    ...sftp,
    async open(request) {
      const place = await sftp.open(request);
      return {
        ...place,
        async *read(entry) {
          let index = 0;
          for await (const piece of place.read(entry)) {
            yield piece;
            await onPiece(entry, index++);
          }
        },
      };
    },
  };
}
