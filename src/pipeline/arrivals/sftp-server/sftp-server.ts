/**
 * The SFTP server: users of tenants log in as `<tenant>.<user>` with a key, and bring files. Who does not exist, is of another
 * tenant, or has another key is answered alike. `stop` drains: no connection and no upload begins any more, those in hand may
 * end within the time, and what did not was never accepted.
 */
import { findTenant } from '../../../platform/access/tenants.ts';
import { createPlaces } from '../../../platform/base/places.ts';
import type { Ports } from '../../../platform/base/ports.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import { serveChannel } from '../../../platform/sftp/served-channel.ts';
import { type SshServer, type SshServerLimits, startSshServer } from '../../../platform/sftp/ssh-server.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import type { Uploads } from '../upload.ts';
import { createAheadRoom } from './ordered-bytes.ts';
import { RefusedUploads } from './refused-uploads.ts';
import type { SftpUserPlan, SftpUserPlans } from './sftp-user-plan.ts';
import { keyOf, type SftpUser, UserFiles } from './user-files.ts';

export interface SftpServerParts {
  readonly db: Db;
  readonly ports: Ports;
  readonly users: SftpUserPlans;
  readonly uploads: Pick<Uploads, 'receiveUpload'>;
  readonly watch: SftpServerWatch;
}

export interface SftpServerSettings {
  readonly host: string;
  readonly port: number;
  /** A private key. */
  readonly hostKey: string;
  readonly limits: SshServerLimits;
  /** Under way at once in this process; one tenant has a quarter. */
  readonly uploadsMax: number;
}

/** Names of users, folders and codes only; never of files. Must not throw. */
export interface SftpServerWatch {
  onLogin(user: SftpUser): void;
  onLeave(user: SftpUser): void;
  onLoginRefused(reason: 'room' | 'credentials' | 'time' | 'sessions'): void;
  /** Without a code: it was taken. */
  onUpload(user: SftpUser, folder: string, code: string | null): void;
  onError(error: unknown): void;
}

export interface SftpServer {
  readonly port: number;
  stop(drainMs: number): Promise<void>;
}

interface LoggedIn extends SftpUser {
  readonly plan: SftpUserPlan;
}

const loginCharactersMax = 128;
const aheadBytesMax = 64 * 1024 * 1024;
const drainLookMs = 20;

/** Rejects with the error of the socket where it can not listen. */
export async function startSftpServer(parts: SftpServerParts, settings: SftpServerSettings): Promise<SftpServer> {
  const { db, ports, users, watch } = parts;
  const room = createAheadRoom(aheadBytesMax);
  const refused = new RefusedUploads();
  const quarter = (max: number) => Math.ceil(max / 4);
  const uploadPlaces = createPlaces({ tenantMax: quarter(settings.uploadsMax), processMax: settings.uploadsMax });
  const sessionPlaces = createPlaces({
    tenantMax: quarter(settings.limits.connectionsMax),
    processMax: settings.limits.connectionsMax,
  });
  const sessionsOf = new Map<string, number>();
  const uploadsOf = new Map<string, number>();
  const open = new Set<{ readonly files: UserFiles; readonly end: () => void }>();
  let isDraining = false;

  const server: SshServer = await startSshServer<LoggedIn>({
    ...settings,
    ports,
    findUser: (login, fingerprint) => findUser(db, users, login, fingerprint),
    enter(user) {
      const leave = isDraining ? null : countIn(sessionsOf, user, user.plan.limits.sessionsMax, sessionPlaces.take);
      if (leave === null) return null;
      watch.onLogin(user);
      return {
        leave() {
          leave();
          watch.onLeave(user);
        },
      };
    },
    serve(user, channel, connection) {
      const files = new UserFiles(
        {
          ...parts,
          room,
          refused,
          takeUpload: (by, uploadsMax) => countIn(uploadsOf, by, uploadsMax, uploadPlaces.take),
          isDraining: () => isDraining,
          onUpload: watch.onUpload,
        },
        user,
      );
      const session = { files, end: () => connection.end() };
      open.add(session);
      connection.closed.addEventListener('abort', () => open.delete(session), { once: true });
      serveChannel(channel, connection, files, watch.onError);
    },
    onRefused: watch.onLoginRefused,
    onError: watch.onError,
  });

  async function stop(drainMs: number): Promise<void> {
    isDraining = true;
    server.stopListening();
    const endMs = ports.clock.monotonicMs() + drainMs;
    for (;;) {
      for (const { files, end } of open) if (!files.hasUploads) end();
      if (![...open].some(({ files }) => files.hasUploads) || ports.clock.monotonicMs() >= endMs) break;
      await ports.sleep.sleep(drainLookMs);
    }
    await server.close();
  }
  let stopping: Promise<void> | undefined;
  return { port: server.port, stop: (drainMs) => (stopping ??= stop(drainMs)) };
}

async function findUser(db: Db, users: SftpUserPlans, login: string, fingerprint: string) {
  const dot = login.indexOf('.');
  if (dot < 1 || login.length > loginCharactersMax || !/^[a-z0-9.-]+$/.test(login)) return null;
  const [tenant, name] = [login.slice(0, dot), login.slice(dot + 1)];
  const tenantId = await findTenant(db, tenant);
  if (tenantId === undefined) return null;
  const plan = await withTenant(db, tenantId, (tx) => users.user(tx, name), { readOnly: true });
  const key = plan === undefined ? null : keyOf(plan, fingerprint);
  return key === null ? null : { user: { tenantId, tenant, name, fingerprint, plan: plan! }, key };
}

/** One more of a user, within the user's limit, the tenant's and the process's; null when there is no place. */
function countIn(
  counts: Map<string, number>,
  { tenantId, name }: SftpUser,
  max: number,
  take: (tenantId: string) => (() => void) | undefined,
): (() => void) | null {
  const key = `${tenantId}/${name}`;
  const count = counts.get(key) ?? 0;
  const leave = count < max ? take(tenantId) : undefined;
  if (leave === undefined) return null;
  counts.set(key, count + 1);
  let isIn = true;
  return () => {
    if (!isIn) return;
    isIn = false;
    leave();
    const left = counts.get(key)! - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  };
}
