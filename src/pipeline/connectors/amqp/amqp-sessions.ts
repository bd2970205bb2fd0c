/** Connections to a broker: made to an address that the guard let through. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import type { AddressGuard } from '../address-guard.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createSessionPool, type SessionPool, type SessionSecrets } from '../session-pool.ts';
import type { AmqpSession } from './amqp-session.ts';
import type { AmqpSettings } from './amqp-settings.ts';
import { openAmqp10Session } from './amqp10-session.ts';
import { openRabbitSession } from './rabbit-session.ts';

export interface SessionsOptions {
  readonly settings: AmqpSettings;
  readonly guard: AddressGuard;
  readonly secrets: SecretResolver;
  readonly ids: Ids;
  readonly idleMax: number;
}

export function createAmqpSessions({ settings, guard, secrets, ids, idleMax }: SessionsOptions): SessionPool<AmqpSession> {
  const { password, certificateAuthority } = settings;
  return createSessionPool({
    idleMax,
    readSecrets: () => ({
      password: secrets.resolve(password).reveal(),
      certificateAuthority: certificateAuthority === null ? null : secrets.resolve(certificateAuthority).reveal(),
    }),
    connect: (now, signal) => connect({ settings, guard, ids, secrets: now }, signal),
  });
}

/** Tries every address in order; each is one that the guard let through now. */
async function connect(
  { settings, guard, ids, secrets }: Pick<SessionsOptions, 'settings' | 'guard' | 'ids'> & { readonly secrets: SessionSecrets },
  signal: AbortSignal,
): Promise<AmqpSession> {
  const open = settings.protocol === 'amqp-1.0' ? openAmqp10Session : openRabbitSession;
  const addresses = await guard.addressesOf(settings.host);
  for (const [index, address] of addresses.entries()) {
    try {
      return await open(settings, { ...secrets, address }, signal, ids);
    } catch (error) {
      const isOfAddress = error instanceof HeadgateError && error.code === connectorErrors.E_TARGET_UNREACHABLE;
      if (index + 1 === addresses.length || !isOfAddress || signal.aborted) throw error;
    }
  }
  throw new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the host name of the target has no address');
}
