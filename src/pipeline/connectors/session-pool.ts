/**
 * Sessions with a target that are kept for the next batch: each is lent to one at a time, made with the secrets of the moment,
 * and dropped whenever something was odd.
 */
import { isDeepStrictEqual } from 'node:util';

export interface PooledSession {
  /** Its connection has ended, or nobody knows what it is in the middle of. */
  readonly isBroken: boolean;
  /** At once and without a farewell: nobody waits for a server that does not answer. */
  destroy(): void;
}

export interface SessionPool<Session> {
  /** Runs `work` with a session that nobody else has. It is kept only if `work` resolves. `signal` ends the connection. */
  use<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface SessionPoolOptions<Session, Secrets> {
  readonly idleMax: number;
  /** As they are now: a session that was made with others is not used again. */
  readSecrets(): Secrets;
  connect(secrets: Secrets, signal: AbortSignal): Promise<Session>;
}

export interface SessionSecrets {
  readonly password: string;
  readonly certificateAuthority: string | null;
}

export function createSessionPool<Session extends PooledSession, Secrets extends object>(
  options: SessionPoolOptions<Session, Secrets>,
): SessionPool<Session> {
  const idle: { readonly session: Session; readonly secrets: Secrets }[] = [];

  function kept(now: Secrets): Session | undefined {
    for (let at = idle.pop(); at !== undefined; at = idle.pop()) {
      if (isDeepStrictEqual(at.secrets, now) && !at.session.isBroken) return at.session;
      at.session.destroy();
    }
    return undefined;
  }

  return {
    async use(signal, work) {
      signal.throwIfAborted();
      const secrets = options.readSecrets();
      const session = kept(secrets) ?? (await options.connect(secrets, signal));
      const end = () => session.destroy();
      signal.addEventListener('abort', end, { once: true });
      let isKept = false;
      try {
        signal.throwIfAborted();
        const result = await work(session);
        isKept = !session.isBroken && !signal.aborted && idle.length < options.idleMax;
        return result;
      } finally {
        signal.removeEventListener('abort', end);
        if (isKept) idle.push({ session, secrets });
        else session.destroy();
      }
    },
    async close() {
      for (const { session } of idle.splice(0)) session.destroy();
    },
  };
}
