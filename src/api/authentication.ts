/**
 * Who asks. The tenant comes from the key and from nothing else; each route names the scope it needs. Failed guesses are
 * limited per address, so that keys cannot be tried by the thousand; a key that was good from there lately still is, since
 * many senders may share one address.
 */
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type ApiKeyOwner, allows, authenticateKey, type Scope } from '../platform/access/api-keys.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Clock } from '../platform/base/ports.ts';
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

const headerPattern = /^bearer +(hg_live_[A-Za-z0-9_-]{20,100}) *$/i;
export const failuresMax = 20;
export const failureWindowMs = 60_000;
const rememberedMax = 10_000;

export function authenticate(parts: ApiParts) {
  const guesses = createGuessLimit(parts.ports.clock);
  return async (request: FastifyRequest): Promise<void> => {
    const key = headerPattern.exec(request.headers.authorization ?? '')?.[1];
    if (!guesses.mayTry(request.ip, key))
      throw new HeadgateError(apiErrors.E_TOO_MANY_REQUESTS, 'too many invalid keys came from this address; wait a minute');
    const owner = key === undefined ? undefined : await authenticateKey(parts.db, key);
    if (key === undefined || owner === undefined) {
      guesses.noteFailure(request.ip, key);
      throw new HeadgateError(apiErrors.E_UNAUTHENTICATED, 'no valid API key came with the request');
    }
    guesses.noteSuccess(key);
    const { scope } = request.routeOptions.config;
    if (scope === undefined) throw new HeadgateError(apiErrors.E_FORBIDDEN, 'the key lacks the scope (none is enough)');
    assertScope(owner, scope);
    request.owner = owner;
  };
}

/** Fails with E_FORBIDDEN. For what a route needs besides its own scope. */
export function assertScope(owner: ApiKeyOwner, scope: Scope): void {
  if (allows(owner.scopes, scope)) return;
  const wanted = [...owner.scopes, scope].join(',');
  throw new HeadgateError(apiErrors.E_FORBIDDEN, `the key lacks the scope ${scope}`, {
    next: `Use a key that has it. The administrator makes one on the server's machine: \`headgate key create ${owner.tenantName} --scopes ${wanted}\`.`,
  });
}

/** Bounded in memory; forgets everything at once when too many addresses fail, which only lets guesses through. */
function createGuessLimit(clock: Clock) {
  const failures = new Map<string, { count: number; readonly sinceMs: number }>();
  const good = new Set<string>();
  const isRecent = (sinceMs: number) => clock.monotonicMs() - sinceMs < failureWindowMs;
  return {
    mayTry(address: string, key: string | undefined): boolean {
      const known = failures.get(address);
      if (known === undefined || known.count < failuresMax || !isRecent(known.sinceMs)) return true;
      return key !== undefined && good.has(fingerprint(key));
    },
    noteFailure(address: string, key: string | undefined): void {
      if (key !== undefined) good.delete(fingerprint(key));
      const known = failures.get(address);
      if (known && isRecent(known.sinceMs)) known.count += 1;
      else {
        if (failures.size >= rememberedMax) failures.clear();
        failures.set(address, { count: 1, sinceMs: clock.monotonicMs() });
      }
    },
    noteSuccess(key: string): void {
      if (good.size >= rememberedMax) good.clear();
      good.add(fingerprint(key));
    },
  };
}

/** So that no key stays in memory longer than its request. */
function fingerprint(key: string): string {
  return createHash('sha256').update(key).digest('base64');
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
