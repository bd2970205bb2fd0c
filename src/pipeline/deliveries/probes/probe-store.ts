/** Turns and results of probes, of targets and of sources: one that is asked for runs at a time over all processes, and the newest hundred are kept. */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { ProbeResult } from '../../connectors/connector.ts';

export const probesKept = 100;
const messageMax = 500;

export interface SubjectKey {
  readonly flowId: string;
  readonly kind: 'source' | 'target';
  /** As the flow calls it. */
  readonly id: string;
}

/** A person or a monitor, or the breaker of an open target. */
export const probeAskers = ['request', 'breaker'] as const;

export interface Probe {
  readonly probeId: string;
  /** Null: it is healthy. */
  readonly code: string | null;
  readonly message: string;
  readonly durationMs: number;
  readonly probedAt: Date;
  readonly askedBy: (typeof probeAskers)[number];
}

const keyOf = ({ flowId, kind, id }: SubjectKey) => [flowId, kind, id];

const insertTurn = `/* take turn of probe */
  insert into headgate.probe_turns (tenant_id, flow_id, kind, subject_id, taken_until)
  values ($1, $2, $3, $4, (select headgate.clock()) + $5 * interval '1 millisecond')
  on conflict (tenant_id, flow_id, kind, subject_id) do update set taken_until = excluded.taken_until
    where probe_turns.taken_until <= (select headgate.clock())`;

/** False: somebody probes it now. A turn that is not given back ends by itself. */
export async function takeTurn(tx: TenantTx, subject: SubjectKey, turnMs: number): Promise<boolean> {
  return (await tx.query(insertTurn, [tx.tenantId, ...keyOf(subject), turnMs])).rowCount === 1;
}

const updateTurn = `/* end turn of probe */
  update headgate.probe_turns set taken_until = (select headgate.clock())
  where tenant_id = $1 and flow_id = $2 and kind = $3 and subject_id = $4`;

export async function endTurn(tx: TenantTx, subject: SubjectKey): Promise<void> {
  await tx.query(updateTurn, [tx.tenantId, ...keyOf(subject)]);
}

const insertProbe = `/* record probe */
  insert into headgate.probes (tenant_id, flow_id, kind, subject_id, probe_id, code, message, duration_ms, asked_by, probed_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, (select headgate.clock()))`;

const deleteOldest = `/* delete oldest probes */
  delete from headgate.probes where tenant_id = $1 and flow_id = $2 and kind = $3 and subject_id = $4 and probe_id <= (
    select p.probe_id from headgate.probes p where p.tenant_id = $1 and p.flow_id = $2 and p.kind = $3 and p.subject_id = $4
    order by p.probe_id desc offset $5 limit 1)`;

/** Records what was found and forgets the oldest. */
export async function recordProbe(
  tx: TenantTx,
  subject: SubjectKey,
  probe: Pick<Probe, 'probeId' | 'askedBy'> & ProbeResult,
): Promise<void> {
  const key = keyOf(subject);
  const { probeId, code, message, durationMs, askedBy } = probe;
  await tx.query(insertProbe, [tx.tenantId, ...key, probeId, code, message.slice(0, messageMax), Math.round(durationMs), askedBy]);
  await tx.query(deleteOldest, [tx.tenantId, ...key, probesKept]);
}

const probeColumns =
  'p.probe_id as "probeId", p.code, p.message, p.duration_ms as "durationMs", p.probed_at as "probedAt", p.asked_by as "askedBy"';

const selectNewest = `/* list newest probes */
  select ${probeColumns} from unnest($2::uuid[], $3::text[], $4::text[]) with ordinality as s (flow_id, kind, subject_id, place)
  left join lateral (select x.* from headgate.probes x
    where x.tenant_id = $1 and x.flow_id = s.flow_id and x.kind = s.kind and x.subject_id = s.subject_id and ($5::text is null or x.asked_by = $5)
    order by x.probe_id desc limit 1) p on true
  order by s.place`;

/** In the order of the subjects; null where there was none. `askedBy`: of those alone. */
export async function findNewest(
  tx: TenantTx,
  subjects: readonly SubjectKey[],
  askedBy: Probe['askedBy'] | null = null,
): Promise<(Probe | null)[]> {
  const columns = [subjects.map(({ flowId }) => flowId), subjects.map(({ kind }) => kind), subjects.map(({ id }) => id)];
  const { rows } = await tx.query<Probe>(selectNewest, [tx.tenantId, ...columns, askedBy]);
  return rows.map((row) => (row.probeId === null ? null : row));
}

const selectHistory = `/* list probes */
  select ${probeColumns} from headgate.probes p
  where p.tenant_id = $1 and p.flow_id = $2 and p.kind = $3 and p.subject_id = $4 and ($5::uuid is null or p.probe_id < $5)
  order by p.probe_id desc limit $6`;

/** Newest first. */
export async function listProbes(
  tx: TenantTx,
  subject: SubjectKey,
  page: { readonly before?: string; readonly limit: number },
): Promise<Probe[]> {
  return (await tx.query<Probe>(selectHistory, [tx.tenantId, ...keyOf(subject), page.before ?? null, page.limit])).rows;
}
