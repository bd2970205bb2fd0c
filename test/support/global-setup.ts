/**
 * One PostgreSQL per test run: the embedded one over a throw-away folder (without fsync), with the binaries in
 * HEADGATE_TEST_POSTGRES_BINARIES where that is set, or the server that HEADGATE_TEST_POSTGRES names (a superuser's connection string). It holds one template database, migrated once, that
 * `createTestDatabase` clones. What a killed run left behind is swept first.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { startEmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { migrateUp } from '../../src/platform/postgres/migrate.ts';
import { createDatabaseIfMissing } from '../../src/platform/postgres/open-database.ts';
import { openPool } from '../../src/platform/postgres/pool.ts';
import { stopPostmaster } from '../../src/platform/postgres/postmaster.ts';
import { processStartTime } from '../../src/platform/postgres/process-identity.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    testPostgres: TestPostgres;
  }
}

/** How tests reach the server. */
export interface TestPostgres {
  /** Connection string of a superuser, without a database. */
  readonly adminUrl: string;
  readonly template: string;
  readonly appPassword: string;
}

const folderPrefix = 'headgate-test-';
/** Each clone of the template makes and removes a thousand files: in memory that costs a fraction. */
const memoryFolder = '/dev/shm';
/** A run had 1 GB there at the most. */
const memoryBytesMin = 4 * 2 ** 30;
/** Also the role's password on a server of one's own: throw-away data only. */
const appPassword = 'headgate-test';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const template = `headgate_template_${process.pid}`;
  await sweep();
  const external = process.env['HEADGATE_TEST_POSTGRES'];
  const server = external ? useServer(withoutDatabase(external), template) : await startThrowAway();
  await createDatabaseIfMissing(`${server.adminUrl}/postgres`, template);
  await migrateUp({ url: `${server.adminUrl}/${template}`, appPassword, ports: systemPorts, partitionQuarters: 0 });
  project.provide('testPostgres', { adminUrl: server.adminUrl, template, appPassword });
  return server.stop;
}

/** A server of somebody else: what we made on it goes at the end. */
function useServer(adminUrl: string, template: string): { adminUrl: string; stop: () => Promise<void> } {
  return {
    adminUrl,
    async stop() {
      const admin = openPool({ url: `${adminUrl}/postgres`, applicationName: 'headgate test support', connectionsMax: 1 });
      await admin.query(`/* drop template */ drop database if exists ${template} with (force)`);
      await admin.close();
    },
  };
}

async function startThrowAway(): Promise<{ adminUrl: string; stop: () => Promise<void> }> {
  const dataDir = mkdtempSync(join(throwAwayFolder(), `${folderPrefix}${process.pid}-${processStartTime(process.pid)}-`));
  const nativeFolder = process.env['HEADGATE_TEST_POSTGRES_BINARIES'];
  const server = await startEmbeddedPostgres({ dataDir, ports: systemPorts, isDurable: false, connectionsMax: 200, nativeFolder });
  return {
    adminUrl: withoutDatabase(server.adminUrl('postgres')),
    async stop() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function withoutDatabase(url: string): string {
  const parsed = new URL(url);
  parsed.pathname = '';
  return parsed.href.replace(/\/$/, '');
}

/** Where the server's data is kept: in memory, where there is enough of it. */
function throwAwayFolder(): string {
  if (!existsSync(memoryFolder)) return tmpdir();
  const { bavail, bsize } = statfsSync(memoryFolder);
  return bavail * bsize >= memoryBytesMin ? memoryFolder : tmpdir();
}

/** Stops servers and removes data of test runs whose process is gone. */
async function sweep(): Promise<void> {
  for (const folder of [tmpdir(), memoryFolder].filter(existsSync)) await sweepFolder(folder);
}

/** Of this user, who may remove it. */
const isOwn = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();

async function sweepFolder(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const match = new RegExp(`^${folderPrefix}(\\d+)-(\\d+)-`).exec(name);
    const dataDir = join(folder, name);
    if (!match || processStartTime(Number(match[1])) === match[2] || !isOwn(dataDir)) continue;
    await stopPostmaster(join(dataDir, 'postgres'), systemPorts, 'immediate');
    rmSync(dataDir, { recursive: true, force: true });
  }
}
