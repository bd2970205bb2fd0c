/** Holds the polled places of a flow that is applied against those of the flows in force, enabled or not. */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { checkSharedPlaces, type TakingSource, takingSources } from '../check-shared-places.ts';
import type { FlowDefinition, HeadgateDocument } from '../definition.ts';
import type { Report } from '../documents/diagnostics.ts';

/** As their documents say, without what is as by default. */
const selectSources = `/* list polled sources */
  select f.name as flow, s as source from headgate.flows f
  join headgate.flow_versions v on v.tenant_id = f.tenant_id and v.flow_version_id = f.active_version_id,
    jsonb_array_elements(v.document->'spec'->'sources') s
  where f.tenant_id = $1 and f.name <> $2 and s->>'type' in ('folder', 'sftp', 'blob') order by f.name limit 10000`;

export async function checkPolledPlaces(
  tx: TenantTx,
  flow: FlowDefinition,
  { bindings, alongside }: { readonly bindings: Readonly<Record<string, string>>; readonly alongside: readonly HeadgateDocument[] },
  report: Report,
): Promise<void> {
  if (takingSources(flow).length === 0) return;
  const planned = alongside.filter((each): each is FlowDefinition => each.kind === 'FlowDefinition');
  const names = new Set(planned.map(({ metadata }) => metadata.name));
  const stored = (await tx.query<TakingSource>(selectSources, [tx.tenantId, flow.metadata.name])).rows.filter(
    (each) => !names.has(each.flow),
  );
  const boundTo = (name: string): string => (Object.hasOwn(bindings, name) ? bindings[name]! : name);
  checkSharedPlaces(flow, [...stored, ...planned.flatMap(takingSources)], boundTo, report);
}
