/**
 * Holds the polled places of a flow that is applied against those of the flows in force, enabled or not; and what a Connection or
 * Environment that is applied makes of the places of those.
 */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { checkSharedPlaces, findNewlyShared, type TakingSource, takingSources } from '../check-shared-places.ts';
import type { Connection, FlowDefinition, HeadgateDocument } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';
import { placesBy } from '../polled-place.ts';

/** As their documents say, without what is as by default. */
const selectSources = `/* list polled sources */
  select f.name as flow, s as source from headgate.flows f
  join headgate.flow_versions v on v.tenant_id = f.tenant_id and v.flow_version_id = f.active_version_id,
    jsonb_array_elements(v.document->'spec'->'sources') s
  where f.tenant_id = $1 and f.name <> $2 and s->>'type' in ('folder', 'sftp', 'blob') order by f.name limit 10000`;

/** By the names that flows give them. */
type Connections = ReadonlyMap<string, Connection>;

export async function checkPolledPlaces(
  tx: TenantTx,
  flow: FlowDefinition,
  { bound, alongside }: { readonly bound: Connections; readonly alongside: readonly HeadgateDocument[] },
  report: Report,
): Promise<void> {
  if (takingSources(flow).length === 0) return;
  const planned = alongside.filter((each): each is FlowDefinition => each.kind === 'FlowDefinition');
  const names = new Set(planned.map(({ metadata }) => metadata.name));
  const stored = (await tx.query<TakingSource>(selectSources, [tx.tenantId, flow.metadata.name])).rows.filter(
    (each) => !names.has(each.flow),
  );
  const placeOf = placesBy((name) => bound.get(name));
  checkSharedPlaces(flow, [...stored, ...planned.flatMap(takingSources)], placeOf, report);
}

/** Sources of flows in force that had places of their own keep them apart. */
export async function checkPlacesInForce(
  tx: TenantTx,
  change: { readonly before: Connections; readonly after: Connections; readonly path: () => Path },
  report: Report,
): Promise<void> {
  const { rows } = await tx.query<TakingSource>(selectSources, [tx.tenantId, '']);
  const [before, after] = [change.before, change.after].map((connections) => placesBy((name) => connections.get(name)));
  const shared = findNewlyShared(rows, { before: before!, after: after! });
  if (shared === undefined) return;
  const [first, second] = shared.map(({ flow, source }) => `the source ${source.id} of flow ${flow}`);
  const message = `${first} and ${second}, which are in force, would take files of one folder under the same names: one that both see would be taken twice`;
  report.add({ code: flowErrors.E_CONFIG_CONFLICT, path: change.path(), message, atValue: true });
}
