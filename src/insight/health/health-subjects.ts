/**
 * What can be well or not: the polled sources and the targets of the flow versions in force. Sources of a disabled flow are left
 * out, because nothing polls them; its targets are not, because jobs that were taken go on.
 */
import { polledSourcesOf } from '../../control/flows/applying/flow-store.ts';
import { loadFlowVersion } from '../../control/flows/applying/flow-store-versions.ts';
import { type FlowView, findFlow, listFlows } from '../../control/flows/applying/flow-views.ts';
import type { SubjectKey } from '../../pipeline/deliveries/probes/probe-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';

export const subjectKinds = ['source', 'target'] as const;

export interface HealthSubject extends SubjectKey {
  readonly flow: string;
  readonly flowVersionId: string;
  readonly type: string;
  /** By the name that the flow uses; null where it names none. */
  readonly connection: string | null;
}

export interface SubjectFilter {
  readonly flow?: string;
  readonly kind?: HealthSubject['kind'];
  readonly id?: string;
}

/** Of a page of flows by name, all subjects that fit. `nextFlow`: the page after begins behind it. */
export async function listSubjects(
  tx: TenantTx,
  filter: SubjectFilter,
  page: { readonly after?: string; readonly flows: number },
): Promise<{ readonly subjects: readonly HealthSubject[]; readonly nextFlow: string | null }> {
  const flows =
    filter.flow === undefined ? await listFlows(tx, { after: page.after, limit: page.flows + 1 }) : await oneFlow(tx, filter.flow);
  const shown = flows.slice(0, page.flows);
  const subjects: HealthSubject[] = [];
  for (const flow of shown) subjects.push(...(await subjectsOf(tx, flow)));
  const { kind, id } = filter;
  return {
    subjects: subjects.filter((subject) => (kind === undefined || subject.kind === kind) && (id === undefined || subject.id === id)),
    nextFlow: flows.length > shown.length ? shown.at(-1)!.name : null,
  };
}

async function oneFlow(tx: TenantTx, name: string): Promise<FlowView[]> {
  const flow = await findFlow(tx, name);
  return flow === undefined ? [] : [flow];
}

async function subjectsOf(tx: TenantTx, { flowId, name, flowVersionId, enabled }: FlowView): Promise<HealthSubject[]> {
  if (flowVersionId === null) return [];
  const { plan, definition } = await loadFlowVersion(tx, flowVersionId);
  const of = { flowId, flow: name, flowVersionId };
  const sources = enabled ? definition.spec.sources : [];
  // To the others files are brought: there is nothing to connect to.
  const polled = new Set(polledSourcesOf(definition));
  return [
    ...sources.flatMap((source) =>
      source.type !== 'http' && polled.has(source.id)
        ? [{ ...of, kind: 'source' as const, id: source.id, type: source.type, connection: source.connection }]
        : [],
    ),
    ...plan.targets.map(({ id, type, connection }) => ({ ...of, kind: 'target' as const, id, type, connection })),
  ];
}
