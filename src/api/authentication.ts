/**
 * Who asks. The tenant comes from the key and from nothing else; each route names the scope it needs. Failed guesses are
 * limited per address, so that keys cannot be tried by the thousand.
 */
import type { FastifyRequest } from 'fastify';
import { type ApiKeyOwner, authenticateKey, type Scope } from '../platform/access/api-keys.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';

declare module 'fastify' {
  interface FastifyRequest {
    owner?: ApiKeyOwner;
  }
  interface FastifyContextConfig {
    /** What the key must be allowed to do. Every route under /v1 has one. */
    scope?: Scope;
  }
}

const keyPattern = /^Bearer (hg_live_[A-Za-z0-9_-]{20,100})$/;
const failuresMax = 20;
const failureWindowMs = 60_000;
const addressesMax = 10_000;

export function authenticate(parts: ApiParts) {
  const failures = new Map<string, { count: number; sinceMs: number }>();
  const { clock } = parts.ports;

  function refuse(address: string): never {
    const known = failures.get(address);
    if (known && clock.nowMs() - known.sinceMs < failureWindowMs) known.count += 1;
    else {
      if (failures.size >= addressesMax) failures.clear();
      failures.set(address, { count: 1, sinceMs: clock.nowMs() });
    }
    throw new HeadgateError(apiErrors.E_UNAUTHENTICATED, 'no valid API key came with the request');
  }

  return async (request: FastifyRequest): Promise<void> => {
    const known = failures.get(request.ip);
    if (known && known.count >= failuresMax && clock.nowMs() - known.sinceMs < failureWindowMs)
      throw new HeadgateError(apiErrors.E_UNAUTHENTICATED, 'too many invalid keys came from this address; wait a minute');
    const match = keyPattern.exec(request.headers.authorization ?? '');
    const owner = match ? await authenticateKey(parts.db, match[1]) : undefined;
    if (!owner) return refuse(request.ip);
    const scope = request.routeOptions.config.scope;
    if (!scope || !(owner.scopes.includes(scope) || owner.scopes.includes('admin')))
      throw new HeadgateError(apiErrors.E_FORBIDDEN, `the key lacks the scope ${scope ?? '(none is enough)'}`);
    request.owner = owner;
  };
}

/** The authenticated owner; only called behind `authenticate`. */
export function ownerOf(request: FastifyRequest): ApiKeyOwner {
  if (!request.owner) throw new HeadgateError(apiErrors.E_UNAUTHENTICATED, 'no valid API key came with the request');
  return request.owner;
}

/** Who did it, for events and audit: the key, by id. */
export function actorOf(request: FastifyRequest): string {
  return `key:${ownerOf(request).keyId}`;
}
