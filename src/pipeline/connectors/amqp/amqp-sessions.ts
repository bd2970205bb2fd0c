/**
 * Connections to a broker: made to an address that the guard let through, with the secrets of the moment, kept for the next
 * batch, and dropped whenever something was odd.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import type { AddressGuard } from '../address-guard.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { AmqpLogin, AmqpSession } from './amqp-session.ts';
import type { AmqpSettings } from './amqp-settings.ts';
import { openAmqp10Session } from './amqp10-session.ts';
import { openRabbitSession } from './rabbit-session.ts';

export interface AmqpSessions {
  /** Runs `work` with a session that nobody else has. It is kept only if `work` resolves. `signal` ends the connection. */
  use<T>(signal: AbortSignal, work: (session: AmqpSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface SessionsOptions {
  readonly settings: AmqpSettings;
  readonly guard: AddressGuard;
  readonly secrets: SecretResolver;
  readonly idleMax: number;
}

type Secrets = Omit<AmqpLogin, 'address'>;

interface IdleSession {
  readonly session: AmqpSession;
  readonly secrets: Secrets;
}

export function createAmqpSessions({ settings, guard, secrets, idleMax }: SessionsOptions): AmqpSessions {
  const idle: IdleSession[] = [];

  function present(): Secrets {
    const { password, certificateAuthority } = settings;
    return {
      password: secrets.resolve(password).reveal(),
      certificateAuthority: certificateAuthority === null ? null : secrets.resolve(certificateAuthority).reveal(),
    };
  }

  function kept(now: Secrets): AmqpSession | undefined {
    for (let at = idle.pop(); at !== undefined; at = idle.pop()) {
      const isSame = at.secrets.password === now.password && at.secrets.certificateAuthority === now.certificateAuthority;
      if (isSame && !at.session.isBroken) return at.session;
      at.session.destroy();
    }
    return undefined;
  }

  return {
    async use(signal, work) {
      signal.throwIfAborted();
      const now = present();
      const session = kept(now) ?? (await connect(settings, guard, now, signal));
      const end = () => session.destroy();
      signal.addEventListener('abort', end, { once: true });
      let isKept = false;
      try {
        signal.throwIfAborted();
        const result = await work(session);
        isKept = !session.isBroken && !signal.aborted && idle.length < idleMax;
        return result;
      } finally {
        signal.removeEventListener('abort', end);
        if (isKept) idle.push({ session, secrets: now });
        else session.destroy();
      }
    },
    async close() {
      for (const { session } of idle.splice(0)) session.destroy();
    },
  };
}

/** Tries every address in order; each is one that the guard let through now. */
async function connect(settings: AmqpSettings, guard: AddressGuard, secrets: Secrets, signal: AbortSignal): Promise<AmqpSession> {
  const open = settings.protocol === 'amqp-1.0' ? openAmqp10Session : openRabbitSession;
  const addresses = await guard.addressesOf(settings.host);
  for (const [index, address] of addresses.entries()) {
    try {
      return await open(settings, { ...secrets, address }, signal);
    } catch (error) {
      const isOfAddress = error instanceof HeadgateError && error.code === connectorErrors.E_TARGET_UNREACHABLE;
      if (index + 1 === addresses.length || !isOfAddress || signal.aborted) throw error;
    }
  }
  throw new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the host name of the target has no address');
}
