/** The headers that every request of an http target has: whose batch it is and which attempt, and the secrets of the connection. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import type { OutgoingBatch } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { HttpAuth, OauthSettings } from './http-connection-settings.ts';

/** Job ids in a header, of a batch that many small jobs share. */
const jobIdsMax = 20;

/** The same for every request of an attempt. */
export function commonHeaders(batch: OutgoingBatch): Record<string, string> {
  return {
    'headgate-job-id': batch.jobIds.slice(0, jobIdsMax).join(', '),
    'headgate-batch-id': batch.batchId,
    'headgate-attempt': String(batch.attempt),
    ...(batch.possibleDuplicate ? { 'headgate-possible-duplicate': 'true' } : {}),
    // Without it a service may answer in any content coding.
    'accept-encoding': 'identity',
    traceparent: batch.traceparent,
  };
}

/** Secrets are read at each attempt. Fails with the codes of the secret resolver, E_TARGET for one that no header can hold. */
export function authHeaders(auth: Exclude<HttpAuth, OauthSettings>, secrets: SecretResolver): Record<string, string> {
  switch (auth.type) {
    case 'none':
      return {};
    case 'bearer':
      return { authorization: `Bearer ${headerText(secrets.resolve(auth.token).reveal())}` };
    case 'basic':
      return { authorization: `Basic ${Buffer.from(`${auth.user}:${secrets.resolve(auth.password).reveal()}`).toString('base64')}` };
    case 'header':
      return { [auth.name.toLowerCase()]: headerText(secrets.resolve(auth.value).reveal()) };
  }
}

function headerText(text: string): string {
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) {
    throw new HeadgateError(connectorErrors.E_TARGET, 'the secret of the connection holds characters that no header can hold');
  }
  return text;
}
