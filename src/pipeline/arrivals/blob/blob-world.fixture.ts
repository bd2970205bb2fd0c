/** A tenant with one flow whose source is polled in a container of an emulator, for tests of blob sources. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { BlobServer } from '../../../../test/support/blob-server.ts';
import type { TestDatabase } from '../../../../test/support/postgres.ts';
import { temporaryFolder } from '../../../../test/support/temporary-store.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { type BlobContainer, openBlobContainer } from '../../../platform/blob/blob-container.ts';
import type { BlobCredentials } from '../../../platform/blob/blob-service.ts';
import { createSecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import { createWorld, type World } from '../arrivals.fixture.ts';
import type { SourceEntry } from '../source-place.ts';
import { type BlobPlaces, createBlobPlaces } from './blob-places.ts';

export interface BlobWorld extends Omit<World, 'put' | 'names' | 'inDone' | 'inQuarantine'> {
  readonly blobs: BlobPlaces;
  readonly container: BlobContainer;
  readonly containerName: string;
  /** In the source's folder; an object that is there is replaced. */
  put(name: string, content: string | Uint8Array): Promise<void>;
  names(): Promise<string[]>;
  inDone(): Promise<string[]>;
  inQuarantine(): Promise<string[]>;
  setCredentials(credentials: BlobCredentials): void;
  /** The service at another port, such as a proxy's. */
  setPort(port: number): void;
}

let lastContainer = 0;

export async function createBlobWorld(database: TestDatabase, server: BlobServer): Promise<BlobWorld> {
  const world = await createWorld(database);
  const name = `inbox-${process.pid}-${++lastContainer}`;
  await server.makeContainer(name);
  const container = await openBlobContainer({
    service: server.service(name),
    credentials: server.credentials,
    addressesOf: async () => ['127.0.0.1'],
    rng: systemPorts.rng,
  });
  onTestFinished(() => container.close());
  const blobs = createBlobPlaces({
    secrets: { of: () => createSecretResolver({ env: {}, limits: null }) },
    resolveHost: async () => ['127.0.0.1'],
    ports: { ...systemPorts, sleep: { sleep: (ms, signal) => systemPorts.sleep.sleep(ms > 3_000 ? ms : ms / 20, signal) } },
    timeoutMs: 3_000,
  });
  const secrets = temporaryFolder();
  let lastSecret = 0;
  const kept = (secret: string) => {
    const path = join(secrets, String(++lastSecret));
    writeFileSync(path, secret, { mode: 0o600 });
    return `file:${path}`;
  };
  const egress = { allowPrivate: ['127.0.0.1/32'], allowPlain: true };
  const setCredentials = (credentials: BlobCredentials) => {
    const references = Object.fromEntries(Object.entries(credentials).map(([key, value]) => [key, key === 'kind' ? value : kept(value)]));
    const service = world.settings.blob?.blob.service ?? server.service(name);
    world.settings.blob = { tenant: 'bank', egress, blob: { service, credentials: references as unknown as BlobCredentials } };
  };
  setCredentials(server.credentials);
  world.settings.source = { ...world.settings.source, root: '.', path: 'in' };
  const list = async (folder: string) => {
    const found = await container.list(folder, { namesMax: 100_000, onPage: async () => {} });
    return found.map((blob) => blob.name.slice(folder.length)).sort();
  };
  return {
    ...world,
    blobs,
    container,
    containerName: name,
    async put(own, content) {
      const there = await container.look(`in/${own}`);
      if (there) await container.remove(there);
      await container.create(`in/${own}`, Buffer.from(content as string));
    },
    names: () => list('in/'),
    inDone: () => list('in/.headgate-done/'),
    inQuarantine: () => list('in/.headgate-quarantine/'),
    setCredentials,
    setPort(port) {
      const { settings } = world;
      settings.blob = { ...settings.blob!, blob: { ...settings.blob!.blob, service: server.service(name, port) } };
    },
    poll: (options) => world.poll({ blobs, ...options }),
  };
}

/** Does something when a piece of a file was read, before the next one is asked for. */
export function duringReads(blobs: BlobPlaces, onPiece: (entry: SourceEntry, index: number) => Promise<void> | void): BlobPlaces {
  return {
    async open(request) {
      const place = await blobs.open(request);
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
