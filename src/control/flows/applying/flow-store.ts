/**
 * Flows and their immutable versions. Applying is one transaction: the version with its author's text, the move of the one
 * before, the schedules of its sources, and their events. At most one version of a flow is in force; a version that work
 * was pinned to stays as it is for ever. Whether a definition is right was checked before (load-flow.ts).
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import { type NewEvent, recordEvents } from '../../../platform/events/event-log.ts';
import type { EventType } from '../../../platform/events/event-types.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { FlowDefinition } from '../definition.ts';
import { flowErrors } from '../flow-errors.ts';
import { type LoadedFlow, loadFlow } from '../load-flow.ts';
import { findVersionConflict } from './flow-version-conflict.ts';
import { unknownFlow } from './flow-views.ts';

export interface FlowToApply {
  readonly service: string;
  readonly subService: string | null;
  readonly name: string;
  readonly version: string;
  /** `sha256:` and 64 hex digits of the canonical document. */
  readonly hash: string;
  /** The author's text. */
  readonly source: string;
  /** What the hash covers. */
  readonly document: unknown;
  /** Ids of the sources that are polled. */
  readonly polledSources: readonly string[];
}

/** What a definition that was loaded is applied as. Fails with E_FLOW_INVALID when it has mistakes. */
export function flowToApply(loaded: LoadedFlow, source: string): FlowToApply {
  const { definition, hash, canonical, diagnostics } = loaded;
  if (definition === null || hash === null)
    throw new HeadgateError(flowErrors.E_FLOW_INVALID, 'the flow definition has mistakes', { details: diagnostics });
  const { service, subService, name, version } = definition.metadata;
  return {
    service,
    subService: subService ?? null,
    name,
    version,
    hash,
    source,
    document: canonical,
    polledSources: polledSourcesOf(definition),
  };
}

export function polledSourcesOf(definition: FlowDefinition): string[] {
  return definition.spec.sources.filter(({ type }) => type !== 'http' && type !== 'sftp-server').map((source) => source.id);
}

export interface AppliedFlow {
  readonly flowId: string;
  readonly flowVersionId: string;
  /** `unchanged`: this very version was in force already. `restored`: an earlier version is in force again. */
  readonly outcome: 'created' | 'updated' | 'restored' | 'unchanged';
}

interface FlowRow {
  readonly flowId: string;
  readonly activeVersionId: string | null;
  readonly enabled: boolean;
}

const insertFlow = `/* create flow */
  with created as (
    insert into headgate.flows (tenant_id, flow_id, service, sub_service, name, created_at) values ($1, $2, $3, $4, $5, headgate.clock())
    on conflict (tenant_id, name) do nothing returning flow_id
  )
  insert into headgate.flow_counters (tenant_id, flow_id) select $1, flow_id from created`;
const lockFlow = `/* lock flow */
  select flow_id as "flowId", active_version_id as "activeVersionId", enabled from headgate.flows where tenant_id = $1 and name = $2 for update`;
const selectVersion = `/* find flow version */
  select flow_version_id as "flowVersionId", hash, state from headgate.flow_versions where tenant_id = $1 and flow_id = $2 and version = $3`;
const insertVersion = `/* add flow version */
  insert into headgate.flow_versions (tenant_id, flow_version_id, flow_id, version, hash, source, document, state, applied_at, applied_by)
  values ($1, $2, $3, $4, $5, $6, $7, 'active', headgate.clock(), $8)`;
const moveVersion = `/* move flow version */
  update headgate.flow_versions v set state = $3
  from (select state from headgate.flow_versions where tenant_id = $1 and flow_version_id = $2 for update) before
  where v.tenant_id = $1 and v.flow_version_id = $2 and v.state <> $3 returning before.state as "from"`;
const updateFlow = `/* point flow to version */
  update headgate.flows set active_version_id = $3, service = $4, sub_service = $5 where tenant_id = $1 and flow_id = $2`;

/** Atomic; waits for another apply of the same flow. Fails with E_VERSION_CONFLICT. A disabled flow stays disabled. */
export async function applyFlow(tx: TenantTx, ids: Ids, flow: FlowToApply, actor: string): Promise<AppliedFlow> {
  const created = await tx.query(insertFlow, [tx.tenantId, ids.next(), flow.service, flow.subService, flow.name]);
  const row = await findForUpdate(tx, flow.name);
  const conflict = await findVersionConflict(tx, flow);
  if (conflict !== null) throw conflict;
  const known = (
    await tx.query<{ flowVersionId: string; hash: string; state: string }>(selectVersion, [tx.tenantId, row.flowId, flow.version])
  ).rows[0];
  if (known && known.flowVersionId === row.activeVersionId)
    return { flowId: row.flowId, flowVersionId: known.flowVersionId, outcome: 'unchanged' };

  const events: NewEvent[] = [];
  const flowVersionId = known?.flowVersionId ?? ids.next();
  const detail = { flow: flow.name, version: flow.version, hash: flow.hash };
  const move = async (id: string, to: string, type: EventType) => {
    const from = (await tx.query<{ from: string }>(moveVersion, [tx.tenantId, id, to])).rows[0]?.from;
    if (from !== undefined) events.push({ type, objectId: id, from, to, actor, detail });
  };
  if (row.activeVersionId !== null && row.enabled) await move(row.activeVersionId, 'superseded', 'flow_version.superseded');
  if (known) await move(flowVersionId, 'active', 'flow_version.restored');
  else {
    const { version, hash, source, document } = flow;
    await tx.query(insertVersion, [tx.tenantId, flowVersionId, row.flowId, version, hash, source, JSON.stringify(document), actor]);
    events.push({ type: 'flow_version.applied', objectId: flowVersionId, from: '', to: 'active', actor, detail });
  }
  if (!row.enabled) await move(flowVersionId, 'disabled', 'flow_version.disabled');
  await tx.query(updateFlow, [tx.tenantId, row.flowId, flowVersionId, flow.service, flow.subService]);
  await setSchedules(tx, row.flowId, row.enabled ? flow.polledSources : []);
  await recordEvents(tx, ids, events);
  return { flowId: row.flowId, flowVersionId, outcome: known ? 'restored' : created.rowCount > 0 ? 'created' : 'updated' };
}

async function findForUpdate(tx: TenantTx, name: string): Promise<FlowRow> {
  const row = (await tx.query<FlowRow>(lockFlow, [tx.tenantId, name])).rows[0];
  if (!row) throw await unknownFlow(tx, name);
  return row;
}

const deleteSchedules = `/* remove source schedules */
  delete from headgate.source_schedules where tenant_id = $1 and flow_id = $2 and not (source_id = any ($3::text[]))`;
const upsertSchedules = `/* schedule sources */
  insert into headgate.source_schedules (tenant_id, flow_id, source_id, due_at)
  select $1, $2, s, headgate.clock() from unnest($3::text[]) s on conflict (tenant_id, flow_id, source_id) do update set due_at = excluded.due_at, list_due_at = excluded.due_at, retry_at = excluded.retry_at`;

async function setSchedules(tx: TenantTx, flowId: string, sources: readonly string[]): Promise<void> {
  await tx.query(deleteSchedules, [tx.tenantId, flowId, sources]);
  if (sources.length > 0) await tx.query(upsertSchedules, [tx.tenantId, flowId, sources]);
}

const updateEnabled = '/* switch flow */ update headgate.flows set enabled = $3 where tenant_id = $1 and flow_id = $2';

export interface FlowSwitch {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly actor: string;
}

const selectSource = `/* get source of version in force */
  select v.source from headgate.flows f join headgate.flow_versions v on v.tenant_id = f.tenant_id and v.flow_version_id = f.active_version_id
  where f.tenant_id = $1 and f.flow_id = $2`;

async function polledSourcesInForce(tx: TenantTx, flowId: string): Promise<string[]> {
  const { rows } = await tx.query<{ source: string }>(selectSource, [tx.tenantId, flowId]);
  const definition = rows[0] === undefined ? null : loadFlow(rows[0].source).definition;
  return definition === null ? [] : polledSourcesOf(definition);
}

/** Takes no new files while disabled; jobs that exist go on. False when it was so already. Fails with E_FLOW_UNKNOWN. */
export async function switchFlow(tx: TenantTx, ids: Ids, change: FlowSwitch): Promise<boolean> {
  const row = await findForUpdate(tx, change.name);
  if (row.enabled === change.isEnabled) return false;
  await tx.query(updateEnabled, [tx.tenantId, row.flowId, change.isEnabled]);
  // The version that is in force behind the lock: another may have been applied while it was waited for.
  await setSchedules(tx, row.flowId, change.isEnabled ? await polledSourcesInForce(tx, row.flowId) : []);
  if (row.activeVersionId === null) return true;
  const [to, type] = change.isEnabled ? (['active', 'flow_version.enabled'] as const) : (['disabled', 'flow_version.disabled'] as const);
  const from = (await tx.query<{ from: string }>(moveVersion, [tx.tenantId, row.activeVersionId, to])).rows[0]?.from;
  if (from !== undefined)
    await recordEvents(tx, ids, [{ type, objectId: row.activeVersionId, from, to, actor: change.actor, detail: { flow: change.name } }]);
  return true;
}
