/** The http connector. */
import type { Connector } from '../connector.ts';
import { httpConnectionSettings } from './http-connection-settings.ts';
import { httpTargetSettings } from './http-settings.ts';
import { openHttpTarget } from './http-target.ts';

export const httpConnector: Connector = {
  name: 'http',
  summary: 'Batches or single records to an HTTP service.',
  documentation: 'connectors/http.md',
  connectionType: 'http',
  bodies: ['ndjson', 'csv', 'fixed-width'],
  targetSettings: httpTargetSettings,
  connectionSettings: httpConnectionSettings,
  open: openHttpTarget,
};
