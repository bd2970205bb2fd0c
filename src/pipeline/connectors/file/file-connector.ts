/** The file connector. */
import type { Connector } from '../connector.ts';
import { fileConnectionSettings, fileTargetSettings } from './file-settings.ts';
import { openFileTarget } from './file-target.ts';

export const fileConnector: Connector = {
  name: 'file',
  summary: 'Files in a folder, each complete and durable before it has its name.',
  documentation: 'connectors/file.md',
  connectionType: 'folder',
  bodies: ['ndjson', 'csv', 'fixed-width'],
  targetSettings: fileTargetSettings,
  connectionSettings: fileConnectionSettings,
  open: openFileTarget,
};
