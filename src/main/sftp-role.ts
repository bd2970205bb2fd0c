/** The role `sftp`: the server to which users of tenants bring files. */
import { createSftpUserPlans } from '../control/flows/applying/sftp-users.ts';
import { loadSftpHostKey } from '../pipeline/arrivals/sftp-server/sftp-host-key.ts';
import { type SftpServer, startSftpServer } from '../pipeline/arrivals/sftp-server/sftp-server.ts';
import type { Uploads } from '../pipeline/arrivals/upload.ts';
import type { Ports } from '../platform/base/ports.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { listeningFailure } from './listening.ts';
import { createSftpWatch } from './sftp-watch.ts';

export interface SftpRoleParts {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly db: Db;
  readonly ports: Ports;
  readonly uploads: Uploads;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Fails with E_PORT_IN_USE, E_PORT_NOT_ALLOWED and E_HOST, and with the codes of the host key. */
export async function startSftpRole({ settings, env, logger, metrics, ...parts }: SftpRoleParts): Promise<SftpServer> {
  const hostKey = loadSftpHostKey(settings, env, parts.ports.rng);
  const { sftpHost: host, sftpPort: port, sftpConnectionsMax: connectionsMax } = settings;
  const half = Math.ceil(connectionsMax / 2);
  const server = await startSftpServer(
    { ...parts, users: createSftpUserPlans({ environment: settings.environment }), watch: createSftpWatch({ metrics, logger }) },
    {
      host,
      port,
      hostKey: hostKey.privateKey,
      limits: {
        connectionsMax,
        strangersMax: half,
        strangersPerAddressMax: Math.ceil(half / 2),
        failuresPerMinuteMax: settings.sftpFailuresPerMinuteMax,
        loginMs: settings.sftpLoginMs,
        idleMs: settings.sftpIdleMs,
      },
      uploadsMax: settings.sftpUploadsMax,
    },
  ).catch((error: unknown) => {
    throw listeningFailure(error, { host, port });
  });
  logger.info('the SFTP server listens', { listensOn: host, port: server.port, hostKeyFingerprint: hostKey.fingerprint });
  return server;
}
