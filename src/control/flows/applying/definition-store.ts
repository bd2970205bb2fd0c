/**
 * Connections, Environments and TenantPolicies: every applied document is kept as a revision, the newest is in force. A
 * policy sets the tenant's tier in the same transaction. Documents name secrets by reference only; that was checked before.
 */
import { setTier, type Tier } from '../../../platform/access/tenants.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { flowStoreErrors } from './flow-store-errors.ts';

export type DefinitionKind = 'Connection' | 'Environment' | 'TenantPolicy';

export interface DefinitionToApply {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly hash: string;
  readonly document: unknown;
  /** Of a TenantPolicy. */
  readonly tier?: Tier;
}

export interface DefinitionView {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly revision: number;
  readonly hash: string;
  readonly document: unknown;
  readonly appliedAt: Date;
  readonly appliedBy: string;
}

export interface AppliedDefinition {
  readonly revision: number;
  readonly outcome: 'created' | 'updated' | 'unchanged';
}

const columns = 'kind, name, revision, hash, document, applied_at as "appliedAt", applied_by as "appliedBy"';
const selectNewest = `/* get definition */
  select ${columns} from headgate.definitions where tenant_id = $1 and kind = $2 and name = $3 order by revision desc limit 1`;
const selectNewestOfKind = `/* get newest definition of kind */
  select ${columns} from headgate.definitions where tenant_id = $1 and kind = $2 order by applied_at desc, revision desc, name limit 1`;
const selectAll = `/* list definitions */
  select distinct on (kind, name) ${columns} from headgate.definitions
  where tenant_id = $1 and ($2::text is null or kind = $2) order by kind, name, revision desc limit $3`;
/** After all others of its kind, whatever the clock says: of policies the one that was applied last is in force. */
const insertRevision = `/* add definition */
  insert into headgate.definitions (tenant_id, kind, name, revision, hash, document, applied_at, applied_by)
  select $1, $2, $3, $4, $5, $6, greatest(headgate.clock(), max(applied_at) + interval '1 microsecond'), $7
  from headgate.definitions where tenant_id = $1 and kind = $2 on conflict do nothing`;
const attemptsMax = 20;

/** The same document again changes nothing, but for a policy that another one has replaced: it is in force again. */
export async function applyDefinition(tx: TenantTx, ids: Ids, definition: DefinitionToApply, actor: string): Promise<AppliedDefinition> {
  const { kind, name, hash, document, tier } = definition;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const newest = await findDefinition(tx, kind, name);
    if (newest?.hash === hash && (await isInForce(tx, newest))) return { revision: newest.revision, outcome: 'unchanged' };
    const revision = (newest?.revision ?? 0) + 1;
    const { rowCount } = await tx.query(insertRevision, [tx.tenantId, kind, name, revision, hash, JSON.stringify(document), actor]);
    // Another apply took this revision and has committed meanwhile: look again.
    if (rowCount === 0) continue;
    if (tier !== undefined) await setTier(tx, tier);
    const outcome = newest ? 'updated' : 'created';
    await recordEvents(tx, ids, [
      {
        type: 'definition.applied',
        objectId: ids.next(),
        from: String(revision - 1),
        to: String(revision),
        actor,
        detail: { kind, name, hash },
      },
    ]);
    return { revision, outcome };
  }
  throw new Error('a definition was applied by others again and again');
}

/** Of policies one is, of everything else the newest revision of each name. */
async function isInForce(tx: TenantTx, { kind, name }: DefinitionView): Promise<boolean> {
  return kind !== 'TenantPolicy' || (await findTenantPolicy(tx))?.name === name;
}

export async function findDefinition(tx: TenantTx, kind: DefinitionKind, name: string): Promise<DefinitionView | undefined> {
  return (await tx.query<DefinitionView>(selectNewest, [tx.tenantId, kind, name])).rows[0];
}

/** Fails with E_DEFINITION_UNKNOWN. */
export async function getDefinition(tx: TenantTx, kind: DefinitionKind, name: string): Promise<DefinitionView> {
  const found = await findDefinition(tx, kind, name);
  if (!found) throw new HeadgateError(flowStoreErrors.E_DEFINITION_UNKNOWN, `there is no ${kind} of this name`);
  return found;
}

/** The policy in force: the one applied last. */
export async function findTenantPolicy(tx: TenantTx): Promise<DefinitionView | undefined> {
  return (await tx.query<DefinitionView>(selectNewestOfKind, [tx.tenantId, 'TenantPolicy'])).rows[0];
}

/** The newest revision of each. */
export async function listDefinitions(tx: TenantTx, kind: DefinitionKind | null = null, limit = 1_000): Promise<DefinitionView[]> {
  return (await tx.query<DefinitionView>(selectAll, [tx.tenantId, kind, limit])).rows;
}
