/**
 * Sends batches to an HTTP service: a request for a batch, or one for each record. Every request carries a key that stays
 * the same over all attempts, and says so when the service may have seen it before. Where the flow says how, the service is asked
 * what became of a request whose answer was lost.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { createAddressGuard } from '../address-guard.ts';
import type { DeliveryOutcome, OpenOptions, OutgoingBatch, ProbeResult, Resolution, Target } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { deliverBatch, readAhead } from './http-batch.ts';
import { unsentOutcome } from './http-delivery.ts';
import { commonHeaders } from './http-headers.ts';
import { deliverRecords, resolveRecords } from './http-records.ts';
import { createHttpService, type LoggedIn } from './http-service.ts';
import { readHttpSettings } from './http-settings.ts';
import { askStatus, resolutionOf } from './http-status.ts';

/** Single requests have their own timeout each; a batch of them still ends. */
const attemptMaxMs = 10 * 60_000;
/** Enough for one result per record of the largest batch: as one object in a short form, and in lines that say more. */
const answerBytesMax = { json: 1024 * 1024, ndjson: 8 * 1024 * 1024 };

/** Fails with E_TARGET and E_SSRF on settings that can't work. */
export function openHttpTarget(options: OpenOptions): Target {
  const settings = readHttpSettings(options);
  const { target, ports } = options;
  const isSingle = settings.mode === 'single';
  const service = createHttpService({
    settings: settings.connection,
    options,
    guard: createAddressGuard(options.egress, ports.resolveHost),
    connectionsMax: target.concurrency * (isSingle ? settings.requestsInFlight : 1),
    timeoutMs: target.timeoutMs,
    answerBytesMax: answerBytesMax[settings.results],
  });

  async function deliver(batch: OutgoingBatch, signal: AbortSignal): Promise<DeliveryOutcome> {
    let login: LoggedIn;
    let bodySha256: string | null;
    try {
      login = await service.logIn(signal);
      bodySha256 = await readAhead({ settings, batch }, login.isSigned && !isSingle, ports.sleep);
      if (isSingle) await batch.deliveryKeys();
    } catch (error) {
      return unsentOutcome(error);
    }
    const delivery = { settings, options, batch, login, headers: commonHeaders(batch), signal };
    return isSingle ? await deliverRecords(delivery) : await deliverBatch(delivery, bodySha256);
  }

  async function resolve(batch: OutgoingBatch, signal: AbortSignal): Promise<Resolution> {
    try {
      const login = await service.logIn(signal);
      const delivery = { settings, options, batch, login, headers: {}, signal };
      if (isSingle) return await resolveRecords(delivery);
      if (!batch.isIdSent) return { kind: 'unresolved', code: connectorErrors.E_TARGET_REPLY_LOST };
      const answer = await askStatus(settings.status!, login, { key: batch.batchId, batchId: batch.batchId }, signal);
      return await resolutionOf(answer, batch, ports.clock.nowMs());
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      return { kind: 'unresolved', code: error.code, mustWait: true };
    }
  }

  return {
    unknownResolution: settings.status === null ? 'labelled-resend' : 'query',
    attemptTimeoutMs({ records }) {
      const rounds = isSingle ? Math.ceil(records / settings.requestsInFlight) : 1;
      return Math.min(attemptMaxMs, target.timeoutMs * rounds);
    },
    deliver,
    ...(settings.status === null ? {} : { resolve }),
    async probe(signal) {
      const startMs = ports.clock.monotonicMs();
      const result = (code: string | null, message: string): ProbeResult => ({
        isReachable: code === null,
        code,
        message,
        durationMs: ports.clock.monotonicMs() - startMs,
      });
      try {
        const login = await service.logIn(signal);
        const { healthUrl } = settings.connection;
        const [method, path] = healthUrl === null ? ['OPTIONS', settings.url.pathname] : ['GET', healthUrl.pathname];
        const exchange = await login.send({ method, path, headers: { 'accept-encoding': 'identity' } }, signal);
        if (exchange.kind !== 'answered') return result(exchange.code, exchange.message);
        return result(probeCodeOf(exchange.status, healthUrl !== null), `the target answered with status ${exchange.status}`);
      } catch (error) {
        if (!(error instanceof HeadgateError)) throw error;
        return result(error.code, error.message);
      }
    },
    close: () => service.close(),
  };
}

/**
 * A service may not know OPTIONS, or fail over it: that it answers, and lets the credentials in, is what is asked then. Only what a service
 * says of itself, or a gateway of the one behind it, counts against it.
 */
function probeCodeOf(status: number, isHealthPath: boolean): string | null {
  if (status === 401 || status === 403) return connectorErrors.E_TARGET_FORBIDDEN;
  if (isHealthPath && status >= 400 && status < 500 && status !== 429) return connectorErrors.E_TARGET_SETUP;
  if (isHealthPath) return status >= 200 && status < 300 ? null : connectorErrors.E_TARGET_BUSY;
  return [408, 429, 502, 503, 504].includes(status) ? connectorErrors.E_TARGET_BUSY : null;
}
