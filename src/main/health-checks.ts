/** What /readyz looks at: the database answers as the right role and takes writes, the object store's folder takes a file and has room, or its service answers. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Health, HealthFinding } from '../api/api-parts.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Ports } from '../platform/base/ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import { postgresErrors } from '../platform/postgres/postgres-errors.ts';
import { incomingFolder } from '../platform/storage/local-store.ts';
import { reachRemoteStore } from '../platform/storage/remote-store.ts';
import type { OpenStorage } from './open-storage.ts';

const databaseTimeoutMs = 2_000;

/** Read only on a standby too. */
const checkReadiness = `/* check readiness */ select headgate.clock(), current_setting('transaction_read_only') = 'on' as "isReadOnly"`;

/** Why the database takes no writes; null: it does. Rejects as the database does. */
export async function findReadOnly(db: Db): Promise<HeadgateError | null> {
  const { isReadOnly } = (await db.query<{ isReadOnly: boolean }>(checkReadiness)).rows[0]!;
  return isReadOnly ? new HeadgateError(postgresErrors.E_DATABASE_READ_ONLY, 'the database takes no writes') : null;
}

export function createHealth(parts: {
  readonly db: Db;
  readonly storage: OpenStorage;
  readonly ports: Ports;
  readonly lackOfSpace: (bytes: number) => string | undefined;
  readonly isStarted: () => boolean;
  /** Code of what the start waits for; null when it waits for nothing. */
  readonly waitsFor: () => string | null;
}): Health {
  const { db, storage, ports } = parts;

  async function checkDatabase(): Promise<HealthFinding> {
    const code = parts.waitsFor();
    if (code !== null) return { name: 'database', isOk: false, detail: code };
    try {
      const answer = findReadOnly(db).then((fault) => fault?.code ?? null);
      const late = `no answer within ${databaseTimeoutMs} ms`;
      const fault = await Promise.race([answer, ports.sleep.sleep(databaseTimeoutMs).then(() => late)]);
      if (fault === late) answer.catch(() => undefined);
      return { name: 'database', isOk: fault === null, detail: fault ?? 'answers' };
    } catch (error) {
      return { name: 'database', isOk: false, detail: (error as { code?: string }).code ?? 'fails' };
    }
  }

  /** Of a remote store, without holding up the event loop: that it answers. */
  async function checkStorage(): Promise<HealthFinding> {
    if (storage.remote) {
      const reason = await reachRemoteStore(storage.remote);
      return { name: 'object store', isOk: reason === undefined, detail: reason ?? 'answers' };
    }
    try {
      // Not made here: what is missing was lost, as with a volume that is not mounted any more.
      for (const folder of [storage.root, join(storage.root, incomingFolder)]) accessSync(folder, constants.W_OK | constants.R_OK);
      return { name: 'object store', isOk: true, detail: 'writable' };
    } catch (error) {
      return { name: 'object store', isOk: false, detail: (error as NodeJS.ErrnoException).code ?? 'not writable' };
    }
  }

  function checkSpace(): HealthFinding {
    const lack = parts.lackOfSpace(0);
    return { name: 'disk', isOk: lack === undefined, detail: lack ?? 'has room' };
  }

  return {
    isStarted: parts.isStarted,
    waitsFor: parts.waitsFor,
    async check() {
      const started: HealthFinding = {
        name: 'process',
        isOk: parts.isStarted(),
        detail: parts.isStarted() ? 'started' : 'starting or draining',
      };
      return [started, ...(await Promise.all([checkDatabase(), checkStorage()])), checkSpace()];
    },
  };
}
