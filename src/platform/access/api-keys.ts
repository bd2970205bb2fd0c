/**
 * API keys: `hg_live_` and 256 random bits, shown once when made; the database keeps only their SHA-256. A key belongs to
 * one tenant, which it alone decides, and carries scopes.
 */
import { createHash } from 'node:crypto';
import { HeadgateError } from '../base/errors.ts';
import type { Ids, Rng } from '../base/ports.ts';
import { recordEvents } from '../events/event-log.ts';
import type { Queryable } from '../postgres/database.ts';
import type { TenantTx } from '../tenancy/tenant-scope.ts';
import { accessErrors } from './access-errors.ts';

export const scopes = [
  'files:write',
  'files:read',
  'sources:notify',
  'jobs:read',
  'jobs:operate',
  'flows:read',
  'flows:write',
  'records:read',
  'records:reveal',
  'policy:write',
  'admin',
] as const;
export type Scope = (typeof scopes)[number];

/** What a key must name to have it: content in the clear, and changing the policy that binds the tenant itself. */
export const namedScopes: readonly Scope[] = ['records:reveal', 'policy:write'];

/** What a key for daily work gets: nothing that must be named, nor the making of keys. */
export const usualScopes: readonly Scope[] = scopes.filter((scope) => scope !== 'admin' && !namedScopes.includes(scope));

/** `admin` may do everything but what a key must name. */
export function allows(owned: readonly Scope[], needed: Scope): boolean {
  return owned.includes(needed) || (!namedScopes.includes(needed) && owned.includes('admin'));
}

export interface ApiKeyOwner {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly keyId: string;
  readonly scopes: readonly Scope[];
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Date | null;
  /** Who made it. */
  readonly actor: string;
}

export interface ApiKeyView {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

const keyBytes = 32;
const keyPattern = /^hg_live_[A-Za-z0-9_-]{43}$/;

const insertKey = `/* create api key */
  insert into headgate.api_keys (tenant_id, key_id, name, key_hash, scopes, created_at, expires_at)
  values ($1, $2, $3, $4, $5::text[], headgate.clock(), $6)`;

/** Fails with E_KEY_SCOPE. */
export function checkScopes(wanted: readonly Scope[]): void {
  const unknown = wanted.find((scope) => !scopes.includes(scope));
  if (wanted.length === 0 || unknown !== undefined)
    throw new HeadgateError(
      accessErrors.E_KEY_SCOPE,
      `${unknown === undefined ? '' : `${JSON.stringify(unknown)} is no scope; `}scopes are ${scopes.join(', ')}; at least one is needed`,
    );
}

/** The only time the key itself is to be seen. Fails with E_KEY_SCOPE. */
export async function createApiKey(
  tx: TenantTx,
  ports: { readonly ids: Ids; readonly rng: Rng },
  key: NewApiKey,
): Promise<{ key: string; keyId: string }> {
  checkScopes(key.scopes);
  const secret = `hg_live_${Buffer.from(ports.rng.bytes(keyBytes)).toString('base64url')}`;
  const keyId = ports.ids.next();
  await tx.query(insertKey, [tx.tenantId, keyId, key.name, hashOfKey(secret), [...new Set(key.scopes)], key.expiresAt ?? null]);
  await recordEvents(tx, ports.ids, [
    { type: 'key.created', objectId: keyId, from: '', to: 'valid', actor: key.actor, detail: { scopes: key.scopes } },
  ]);
  return { key: secret, keyId };
}

const selectOwner = `/* authenticate key */
  select tenant_id as "tenantId", tenant_name as "tenantName", key_id as "keyId", scopes from headgate.authenticate_key($1)`;

/** Whose key this is; undefined when it is unknown, malformed, expired or revoked. Revoking works at once. */
export async function authenticateKey(db: Queryable, key: string): Promise<ApiKeyOwner | undefined> {
  if (!keyPattern.test(key)) return undefined;
  return (await db.query<ApiKeyOwner>(selectOwner, [hashOfKey(key)])).rows[0];
}

const updateRevoked = `/* revoke api key */
  update headgate.api_keys set revoked_at = headgate.clock() where tenant_id = $1 and key_id = $2 and revoked_at is null`;

/** Fails with E_KEY_UNKNOWN, also when it was revoked before. */
export async function revokeApiKey(tx: TenantTx, ids: Ids, revoked: { readonly keyId: string; readonly actor: string }): Promise<void> {
  const { rowCount } = await tx.query(updateRevoked, [tx.tenantId, revoked.keyId]);
  if (rowCount !== 1) throw new HeadgateError(accessErrors.E_KEY_UNKNOWN, 'there is no valid API key of this id');
  await recordEvents(tx, ids, [{ type: 'key.revoked', objectId: revoked.keyId, from: 'valid', to: 'revoked', actor: revoked.actor }]);
}

const selectKeys = `/* list api keys */
  select key_id as "keyId", name, scopes, created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt"
  from headgate.api_keys where tenant_id = $1 and ($2::uuid is null or key_id < $2) order by key_id desc limit $3`;

/** Newest first, without the keys themselves. */
export async function listApiKeys(
  tx: TenantTx,
  page: { readonly before?: string; readonly limit: number } = { limit: 1_000 },
): Promise<ApiKeyView[]> {
  return (await tx.query<ApiKeyView>(selectKeys, [tx.tenantId, page.before ?? null, page.limit])).rows;
}

/** The key has 256 random bits, so that a plain hash can not be guessed back. */
function hashOfKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
