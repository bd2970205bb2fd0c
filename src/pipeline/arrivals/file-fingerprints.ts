/**
 * Who was here before (decisions 30): the keys by which a flow tells files apart, claimed in the accepting transaction. Of
 * two files that claim a key at once the second waits for the first's COMMIT, so that one of them is the first and the
 * other knows it. A claim older than the flow's window is forgotten. Rows are counted, never assumed.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';

export type FingerprintKind = 'sha256' | 'container' | 'name' | 'records';

export interface Fingerprint {
  readonly kind: FingerprintKind;
  readonly value: string;
  readonly fileId: string;
}

const keyOf = (fingerprint: Pick<Fingerprint, 'kind' | 'value'>) => `${fingerprint.kind}\u0000${fingerprint.value}`;

/** Sorted, so that two transactions never wait for each other in a circle. */
const insertClaims = `/* claim fingerprints */
  with wanted as (
    select f.kind, f.value, f.file_id from unnest($3::text[], $4::text[], $5::uuid[]) as f (kind, value, file_id) order by f.kind, f.value
  )
  insert into headgate.file_fingerprints as p (tenant_id, flow_id, kind, value, file_id, claimed_at)
  select $1, $2, w.kind, w.value, w.file_id, (select headgate.clock()) from wanted w
  on conflict (tenant_id, flow_id, kind, value) do update set file_id = excluded.file_id, claimed_at = excluded.claimed_at
    where p.claimed_at < excluded.claimed_at - $6 * interval '1 millisecond'
  returning kind, value`;
/** One look at the primary key for each, whatever the planner thinks of the table. */
const selectOwners = `/* find fingerprints */
  select f.kind, f.value, o.file_id as "fileId" from unnest($3::text[], $4::text[]) as f (kind, value)
  cross join lateral (
    select p.file_id from headgate.file_fingerprints p
    where p.tenant_id = $1 and p.flow_id = $2 and p.kind = f.kind and p.value = f.value and p.claimed_at >= (select headgate.clock()) - $5 * interval '1 millisecond'
    limit 1
  ) o`;
const deleteClaims = `/* give fingerprints back */
  delete from headgate.file_fingerprints p using unnest($3::text[], $4::text[], $5::uuid[]) as f (kind, value, file_id)
  where p.tenant_id = $1 and p.flow_id = $2 and p.kind = f.kind and p.value = f.value and p.file_id = f.file_id`;

export interface FingerprintScope {
  readonly flowId: string;
  readonly windowMs: number;
}

/** What others own already, among these; a hint before the bytes are sealed, not a claim. */
export async function findOwners(
  tx: TenantTx,
  scope: FingerprintScope,
  wanted: readonly Omit<Fingerprint, 'fileId'>[],
): Promise<Map<string, string>> {
  if (wanted.length === 0) return new Map();
  const { rows } = await tx.query<Fingerprint>(selectOwners, [
    tx.tenantId,
    scope.flowId,
    wanted.map((each) => each.kind),
    wanted.map((each) => each.value),
    scope.windowMs,
  ]);
  return new Map(rows.map((row) => [keyOf(row), row.fileId]));
}

export function ownerOf(owners: ReadonlyMap<string, string>, fingerprint: Pick<Fingerprint, 'kind' | 'value'>): string | undefined {
  return owners.get(keyOf(fingerprint));
}

/** Claims all of these, no key twice among them. Gives back who owns those that could not be claimed. */
export async function claimFingerprints(
  tx: TenantTx,
  scope: FingerprintScope,
  wanted: readonly Fingerprint[],
): Promise<Map<string, string>> {
  if (wanted.length === 0) return new Map();
  const kinds = wanted.map((each) => each.kind);
  const values = wanted.map((each) => each.value);
  const params = [tx.tenantId, scope.flowId, kinds, values, wanted.map((each) => each.fileId), scope.windowMs];
  const claimed = await tx.query<Fingerprint>(insertClaims, params);
  if (claimed.rowCount === wanted.length) return new Map();
  const mine = new Set(claimed.rows.map(keyOf));
  const taken = wanted.filter((each) => !mine.has(keyOf(each)));
  const owners = await findOwners(tx, { ...scope, windowMs: scope.windowMs + 60_000 }, taken);
  if (owners.size !== taken.length) throw new Error(`${taken.length - owners.size} fingerprints were neither claimed nor owned by anyone`);
  return owners;
}

/** Takes back claims of files that are not accepted after all. */
export async function releaseFingerprints(tx: TenantTx, flowId: string, claims: readonly Fingerprint[]): Promise<void> {
  if (claims.length === 0) return;
  await tx.query(deleteClaims, [
    tx.tenantId,
    flowId,
    claims.map((each) => each.kind),
    claims.map((each) => each.value),
    claims.map((each) => each.fileId),
  ]);
}

const pointNames = `/* point names to newer files */
  update headgate.file_fingerprints p set file_id = f.file_id, claimed_at = (select headgate.clock())
  from unnest($3::text[], $4::uuid[]) as f (value, file_id)
  where p.tenant_id = $1 and p.flow_id = $2 and p.kind = 'name' and p.value = f.value`;

/** A name that was used before belongs to the newest file of that name. */
export async function renewNames(
  tx: TenantTx,
  flowId: string,
  names: readonly { readonly value: string; readonly fileId: string }[],
): Promise<void> {
  if (names.length === 0) return;
  await tx.query(pointNames, [tx.tenantId, flowId, names.map((each) => each.value), names.map((each) => each.fileId)]);
}
