/** Settings of http targets, read once when one is opened. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { OpenOptions } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { type ConnectorSetting, readSettings } from '../connector-settings.ts';
import { type HttpConnectionSettings, readHttpConnection } from './http-connection-settings.ts';
import { readStatusSettings, type StatusSettings } from './http-status.ts';
import { targetUrl } from './http-url.ts';

export const httpTargetSettings: readonly ConnectorSetting[] = [
  { name: 'path', type: 'text', default: '/', description: "Path below the connection's base address." },
  { name: 'method', type: 'choice', choices: ['POST', 'PUT'], default: 'POST', description: 'HTTP method.' },
  {
    name: 'mode',
    type: 'choice',
    choices: ['batch', 'single'],
    default: 'batch',
    description: 'One request for a batch, or one for each record.',
  },
  {
    name: 'envelope',
    type: 'choice',
    choices: ['none', 'json-array'],
    default: 'none',
    description: 'batch: the records line by line, or as one JSON array.',
  },
  {
    name: 'idempotencyKey',
    type: 'text',
    default: null,
    description: 'single: the output field (`out.name`) that is the Idempotency-Key; else the delivery key is.',
  },
  {
    name: 'requestsInFlight',
    type: 'integer',
    default: 8,
    description: 'single: requests at the same time for one batch; always 1 where order is kept.',
  },
  {
    name: 'results',
    type: 'choice',
    choices: ['json', 'ndjson'],
    default: 'json',
    description:
      'batch: what the body of an answer may say of single records in one JSON object, or must say of each in a line of its own.',
  },
  {
    name: 'status',
    type: 'object',
    default: null,
    description:
      'How the service is asked what became of a request whose answer was lost: path (with {key} or {batchId}), absentStatus, field, acked, absent.',
  },
];

export interface HttpSettings {
  readonly url: URL;
  readonly method: 'POST' | 'PUT';
  readonly mode: 'batch' | 'single';
  readonly envelope: 'none' | 'json-array';
  /** Name of an output field. */
  readonly idempotencyField: string | null;
  readonly requestsInFlight: number;
  readonly results: 'json' | 'ndjson';
  readonly status: StatusSettings | null;
  readonly connection: HttpConnectionSettings;
}

/** Fails with E_TARGET, and with E_SSRF for an address of another protocol. */
export function readHttpSettings(options: Pick<OpenOptions, 'target' | 'connection' | 'egress'>): HttpSettings {
  const target = readSettings(httpTargetSettings, options.target.settings);
  const connection = readHttpConnection(options.connection.settings, options.egress);
  const isSingle = target['mode'] === 'single';
  if (isSingle && options.target.body.format !== 'ndjson') {
    throw new HeadgateError(connectorErrors.E_TARGET, 'single requests need a body of format ndjson');
  }
  if (target['envelope'] === 'json-array' && (isSingle || options.target.body.format !== 'ndjson')) {
    throw new HeadgateError(connectorErrors.E_TARGET, 'a JSON array needs mode batch and a body of format ndjson');
  }
  if (target['results'] === 'ndjson' && isSingle) {
    throw new HeadgateError(connectorErrors.E_TARGET, 'results of a line for each record need mode batch');
  }
  const status = target['status'] as Readonly<Record<string, unknown>> | undefined;
  return {
    url: targetUrl(connection.baseUrl, target['path'] as string, options.egress),
    method: target['method'] as 'POST' | 'PUT',
    mode: target['mode'] as 'batch' | 'single',
    envelope: target['envelope'] as 'none' | 'json-array',
    idempotencyField: fieldOf(target['idempotencyKey'] as string | undefined),
    requestsInFlight: options.target.order === 'none' ? Math.max(1, Math.min(64, target['requestsInFlight'] as number)) : 1,
    results: target['results'] as 'json' | 'ndjson',
    status: status === undefined ? null : readStatusSettings(status, { baseUrl: connection.baseUrl, egress: options.egress, isSingle }),
    connection,
  };
}

function fieldOf(reference: string | undefined): string | null {
  return reference === undefined ? null : reference.replace(/^out\./, '');
}
