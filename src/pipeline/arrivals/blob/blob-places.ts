/**
 * Opens folders of buckets and containers for polls: at addresses that the tenant's policy lets it connect to, and with
 * credentials as they are now. Connections are OpenDAL's own; nothing is kept here between polls.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ports } from '../../../platform/base/ports.ts';
import { revealCredentials } from '../../../platform/blob/blob-connection.ts';
import { openBlobContainer } from '../../../platform/blob/blob-container.ts';
import { BlobFailure } from '../../../platform/blob/blob-failure.ts';
import { endpointOf } from '../../../platform/blob/blob-service.ts';
import type { ConnectionSecrets } from '../../../platform/secrets/connection-secrets.ts';
import { createAddressGuard } from '../../connectors/address-guard.ts';
import type { ResolveHost } from '../../connectors/connector.ts';
import { connectorErrors } from '../../connectors/connector-errors.ts';
import type { BlobSourcePlan } from '../arrival-plan.ts';
import type { OnTurn, SourcePlace } from '../source-place.ts';
import { withSourceFailures } from './blob-failures.ts';
import { createBlobPlace } from './blob-place.ts';

export interface BlobPlaces {
  /** Fails with the codes of `E_SOURCE…`, of secrets, and with E_SSRF. */
  open(request: { readonly source: BlobSourcePlan; readonly onTurn: OnTurn }): Promise<SourcePlace>;
}

export interface BlobPlacesOptions {
  readonly secrets: ConnectionSecrets;
  readonly resolveHost: ResolveHost;
  readonly ports: Pick<Ports, 'sleep' | 'rng'>;
  /** For an answer. */
  readonly timeoutMs?: number;
}

const resolveMs = 5_000;

export function createBlobPlaces({ secrets, resolveHost, ports, timeoutMs }: BlobPlacesOptions): BlobPlaces {
  /** The guard's own refusal passes; a name that can not be found is a service that can not be reached. */
  async function addressesOf(source: BlobSourcePlan, host: string): Promise<readonly string[]> {
    const done = new AbortController();
    const late = ports.sleep.sleep(resolveMs, done.signal).then(() => {
      throw new BlobFailure('unreachable', 'the name of the service was not resolved in time');
    });
    late.catch(() => {});
    try {
      return await Promise.race([createAddressGuard(source.egress, resolveHost).addressesOf(host), late]);
    } catch (error) {
      if (error instanceof HeadgateError && error.code === connectorErrors.E_TARGET_UNREACHABLE)
        throw new BlobFailure('unreachable', 'the name of the service has no address');
      throw error;
    } finally {
      done.abort();
    }
  }

  return {
    open: ({ source, onTurn }) =>
      withSourceFailures('open a connection', async () => {
        const { blob, egress, tenant } = source;
        if (endpointOf(blob.service).protocol === 'http:' && !egress.allowPlain)
          throw new HeadgateError(connectorErrors.E_TARGET, "connections without TLS need `egress.allowPlain` in the tenant's policy");
        const resolver = secrets.of(tenant);
        const container = await openBlobContainer({
          service: blob.service,
          credentials: revealCredentials(blob.credentials, (reference) => resolver.resolve(reference).reveal()),
          addressesOf: (host) => addressesOf(source, host),
          rng: ports.rng,
          sleep: ports.sleep,
          timeoutMs,
        });
        return createBlobPlace({ container, folder: folderOf(source), onTurn, sleep: ports.sleep });
      }),
  };
}

/** What the names begin with; slashes at either end mean nothing. */
export function folderOf({ root, path }: Pick<BlobSourcePlan, 'root' | 'path'>): string {
  const parts = `${root}/${path}`.split('/').filter((part) => part !== '' && part !== '.');
  return parts.map((part) => `${part}/`).join('');
}
