/** The sftp connector. */
import type { Connector } from '../connector.ts';
import { sftpConnectionSettings, sftpTargetSettings } from './sftp-settings.ts';
import { openSftpTarget } from './sftp-target.ts';

export const sftpConnector: Connector = {
  name: 'sftp',
  summary: 'Files at an SFTP server, each complete and read back before it has its name.',
  documentation: 'connectors/sftp.md',
  connectionType: 'sftp',
  bodies: ['ndjson', 'csv', 'fixed-width'],
  targetSettings: sftpTargetSettings,
  connectionSettings: sftpConnectionSettings,
  open: openSftpTarget,
};
