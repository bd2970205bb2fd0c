/**
 * The service behind a connection, as secrets and certificates are now: every request gets the login of the moment and its
 * signature. Changed certificates get connections of their own, while what is under way on the old ones is answered.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { AddressGuard } from '../address-guard.ts';
import type { OpenOptions } from '../connector.ts';
import { createHttpClient, type HttpClient, type HttpRequest } from './http-client.ts';
import type { HttpConnectionSettings, OauthSettings } from './http-connection-settings.ts';
import type { Certificates } from './http-connections.ts';
import type { HttpExchange } from './http-exchange.ts';
import { authHeaders } from './http-headers.ts';
import { signatureHeaders } from './http-signature.ts';
import { createTokens, type Token } from './http-tokens.ts';

export interface ServiceRequest extends HttpRequest {
  /** In hex; asked for only where requests are signed. */
  readonly bodySha256?: () => string;
}

export interface HttpService {
  /**
   * For one attempt: secrets are read, and a token is fetched where there is none, before anything is sent. Fails with the codes of
   * secrets and tokens, and with E_TARGET for a secret that no header can hold and for certificates that are none.
   */
  logIn(signal: AbortSignal): Promise<LoggedIn>;
  close(): Promise<void>;
}

export interface LoggedIn {
  readonly isSigned: boolean;
  /**
   * Ends with an exchange whatever happens. With a token that is not taken (401) once more, with a new one; where it may not be given up
   * yet, with the same one before.
   */
  send(request: ServiceRequest, signal: AbortSignal): Promise<HttpExchange>;
}

export interface HttpServiceOptions {
  readonly settings: HttpConnectionSettings;
  readonly options: Pick<OpenOptions, 'secrets' | 'ports'>;
  readonly guard: AddressGuard;
  readonly connectionsMax: number;
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
}

const tokenAnswerBytesMax = 64 * 1024;

export function createHttpService(given: HttpServiceOptions): HttpService {
  const { settings, options, guard, connectionsMax, timeoutMs, answerBytesMax } = given;
  const { secrets, ports } = options;
  const { auth, signature } = settings;
  const reveal = (reference: string | null) => (reference === null ? null : secrets.resolve(reference).reveal());

  function certificates(authority: string | null): Certificates {
    const [certificate, key] = [reveal(settings.clientCertificate), reveal(settings.clientKey)];
    return { authority: reveal(authority), client: certificate === null || key === null ? null : { certificate, key } };
  }
  const service = keepClient(
    () => certificates(settings.certificateAuthority),
    (now) =>
      createHttpClient({ origin: new URL(settings.baseUrl).origin, guard, connectionsMax, timeoutMs, answerBytesMax, certificates: now }),
  );
  const issuer = keepClient(
    () => certificates((auth.type === 'oauth2' ? auth.certificateAuthority : null) ?? settings.certificateAuthority),
    (now) => {
      const { origin } = (auth as OauthSettings).tokenUrl;
      return createHttpClient({ origin, guard, connectionsMax: 1, timeoutMs, answerBytesMax: tokenAnswerBytesMax, certificates: now });
    },
  );
  const tokens = auth.type === 'oauth2' ? createTokens({ settings: auth, secrets, ports, timeoutMs, client: issuer.current }) : null;

  return {
    async logIn(signal) {
      let client = service.current();
      const signing = signature === null ? null : { settings: signature, secret: secrets.resolve(signature.secret) };
      const fixed = auth.type === 'oauth2' ? {} : authHeaders(auth, secrets);
      let token = tokens === null ? null : await tokens.get(signal);

      function sendWith(used: Token | null, request: ServiceRequest, until: AbortSignal): Promise<HttpExchange> {
        const { method, path, body, bodySha256 } = request;
        const headers = { ...request.headers, ...fixed, ...(used === null ? {} : { authorization: `Bearer ${used.text}` }) };
        if (signing === null) return sendOn({ method, path, headers, body }, until);
        const signed = { method, url: new URL(path, settings.baseUrl), headers, bodySha256: body === undefined ? null : bodySha256!() };
        const signature = signatureHeaders(signing.settings, signing.secret, signed, ports.clock.nowMs());
        return sendOn({ method, path, headers: { ...headers, ...signature }, body }, until);
      }

      /** Where certificates changed since the login, what was not sent on the old connections is sent on new ones. */
      async function sendOn(request: HttpRequest, until: AbortSignal): Promise<HttpExchange> {
        const exchange = await client.send(request, until);
        if (exchange.kind !== 'unsent' || !service.isRetired(client) || until.aborted) return exchange;
        try {
          client = service.current();
        } catch (error) {
          // Without the new ones it stays as it is; the next attempt says what is wrong with them.
          if (!(error instanceof HeadgateError)) throw error;
          return exchange;
        }
        return await client.send(request, until);
      }
      return {
        isSigned: signing !== null,
        async send(request, until) {
          const used = token;
          const exchange = await sendWith(used, request, until);
          if (tokens === null || used === null || !isUnauthorized(exchange)) return exchange;
          const waitMs = tokens.giveUp(used);
          if (waitMs > 0) {
            const again = await sendWith(used, request, until);
            if (!isUnauthorized(again)) return again;
            await ports.sleep.sleep(waitMs, until);
            tokens.giveUp(used);
          }
          try {
            if (token === used) token = await tokens.get(until);
          } catch (error) {
            // Without a new one it stays as it is; the next attempt says what is wrong with the token endpoint.
            if (!(error instanceof HeadgateError)) throw error;
            return exchange;
          }
          return await sendWith(token, request, until);
        },
      };
    },
    async close() {
      await Promise.all([service.close(), issuer.close()]);
    },
  };
}

const isUnauthorized = (exchange: HttpExchange): boolean => exchange.kind === 'answered' && exchange.status === 401;

/** One client, made with the certificates of the moment. */
function keepClient(read: () => Certificates, make: (certificates: Certificates) => HttpClient) {
  let kept: { readonly state: string; readonly client: HttpClient } | undefined;
  const retired = new Set<HttpClient>();
  return {
    current(): HttpClient {
      const certificates = read();
      const state = JSON.stringify(certificates);
      if (kept?.state === state) return kept.client;
      const made = make(certificates);
      const before = kept?.client;
      if (before !== undefined) {
        retired.add(before);
        void before.retire().then(() => retired.delete(before));
      }
      kept = { state, client: made };
      return made;
    },
    isRetired: (client: HttpClient) => client !== kept?.client,
    async close(): Promise<void> {
      await Promise.all([...retired, ...(kept === undefined ? [] : [kept.client])].map((client) => client.close()));
      kept = undefined;
    },
  };
}
