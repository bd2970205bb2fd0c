/**
 * What the SFTP server tells: sessions and uploads by tenant and user, refusals by code, and who was not let in by reason only:
 * names that somebody tries are not repeated anywhere. Names of files enter neither metrics nor the log.
 */
import type { SftpServerWatch } from '../pipeline/arrivals/sftp-server/sftp-server.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';

export function createSftpWatch({
  metrics,
  logger,
}: {
  readonly metrics: Pick<Metrics, 'add' | 'set'>;
  readonly logger: Logger;
}): SftpServerWatch {
  let sessions = 0;
  return {
    onLogin({ tenant, name }) {
      metrics.add('headgate_sftp_logins_total', { outcome: 'ok' });
      metrics.set('headgate_sftp_sessions', {}, ++sessions);
      logger.info('a user of the SFTP server logged in', { tenant, user: name });
    },
    onLeave({ tenant, name }) {
      metrics.set('headgate_sftp_sessions', {}, --sessions);
      logger.debug('a user of the SFTP server left', { tenant, user: name });
    },
    onLoginRefused(reason) {
      metrics.add('headgate_sftp_logins_total', { outcome: reason });
      logger.info('the SFTP server let somebody not in', { reason });
    },
    onUpload({ tenant, name }, folder, code) {
      metrics.add('headgate_sftp_uploads_total', { tenant, outcome: code ?? 'taken' });
      if (code !== null) logger.warn('an upload over SFTP was not taken', { tenant, user: name, folder, code });
    },
    onError(error) {
      logger.error('the SFTP server failed; it goes on', { error });
    },
  };
}
