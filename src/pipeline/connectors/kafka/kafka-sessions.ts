/** Producers that are kept for the next batch, each made with the secrets of the moment. */
import type { Clock } from '../../../platform/base/ports.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import type { AddressGuard } from '../address-guard.ts';
import { createSessionPool, type SessionPool } from '../session-pool.ts';
import { type KafkaSession, openKafkaSession } from './kafka-session.ts';
import type { KafkaSettings } from './kafka-settings.ts';

export interface SessionsOptions {
  readonly settings: KafkaSettings;
  readonly guard: AddressGuard;
  readonly secrets: SecretResolver;
  readonly clock: Clock;
  readonly idleMax: number;
}

export function createKafkaSessions({ settings, guard, secrets, clock, idleMax }: SessionsOptions): SessionPool<KafkaSession> {
  const { password, certificateAuthority } = settings;
  return createSessionPool({
    idleMax,
    readSecrets: () => ({
      password: password === null ? '' : secrets.resolve(password).reveal(),
      certificateAuthority: certificateAuthority === null ? null : secrets.resolve(certificateAuthority).reveal(),
    }),
    connect: (now, signal) => openKafkaSession({ settings, guard, secrets: now }, clock, signal),
  });
}
