/** Opens the port of the API, which serves the metrics and the health checks too. */
import type { FastifyInstance } from 'fastify';
import { defineErrors, HeadgateError } from '../platform/base/errors.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';

export const listeningErrors = defineErrors({
  E_PORT_IN_USE: {
    meaning: 'Another process listens at the port that Headgate is to listen at.',
    actor: 'operator',
    next: 'Stop the other process (it may be `headgate serve` or `headgate demo`), or choose another port with HEADGATE_PORT (of the SFTP server: HEADGATE_SFTP_PORT); 0 takes a free one.',
  },
  E_PORT_NOT_ALLOWED: {
    meaning: 'The system does not let this user listen at the port.',
    actor: 'operator',
    next: 'Choose a port from 1024 with HEADGATE_PORT (of the SFTP server: HEADGATE_SFTP_PORT), or have the system allow this one.',
  },
  E_HOST: {
    meaning: 'The host that Headgate is to listen at is no address of this machine.',
    actor: 'operator',
    next: 'Correct HEADGATE_HOST, or HEADGATE_SFTP_HOST: 127.0.0.1 for this machine only, 0.0.0.0 for every address it has.',
  },
});

/** The address that it listens at. Fails with E_PORT_IN_USE, E_PORT_NOT_ALLOWED and E_HOST. */
export async function listen(api: FastifyInstance, { host, port }: Pick<Settings, 'host' | 'port'>): Promise<string> {
  try {
    return await api.listen({ host, port });
  } catch (cause) {
    throw listeningFailure(cause, { host, port });
  }
}

/** What the error of a socket that was to listen means; another error as it is. */
export function listeningFailure(cause: unknown, { host, port }: Pick<Settings, 'host' | 'port'>): unknown {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new HeadgateError(listeningErrors.E_PORT_IN_USE, `${host}:${port} is in use by another process`, { cause });
    case 'EACCES':
      return new HeadgateError(listeningErrors.E_PORT_NOT_ALLOWED, `${host}:${port} may not be listened at by this user`, { cause });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new HeadgateError(listeningErrors.E_HOST, `${host} is no address of this machine`, { cause });
    default:
      return cause;
  }
}
