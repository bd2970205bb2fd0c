/**
 * Users of the SFTP server: Connections of type sftp-server, and the sources of flows in force, enabled or not, that take their
 * files, as the environment of this process binds the connections that they name.
 */
import type { SftpFolderPlan, SftpUserPlans } from '../../../pipeline/arrivals/sftp-server/sftp-user-plan.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { checkSharedFolders } from '../check-shared-places.ts';
import type { Connection, Environment, FlowDefinition, SftpServerSource } from '../definition.ts';
import type { Report } from '../documents/diagnostics.ts';
import { bindingsOf } from './bound-connections.ts';
import { findDefinition, listDefinitions } from './definition-store.ts';
import { loadFlowVersion } from './flow-store-versions.ts';

const selectFlows = `/* list flows of sftp server */
  select f.flow_id as "flowId", f.name as "flowName", f.active_version_id as "flowVersionId" from headgate.flows f
  join headgate.flow_versions v on v.tenant_id = f.tenant_id and v.flow_version_id = f.active_version_id
  where f.tenant_id = $1
    and exists (select from jsonb_array_elements(v.document->'spec'->'sources') s where s->>'type' = 'sftp-server')
  order by f.name limit 1000`;

export interface FolderOfFlow {
  readonly flowId: string;
  readonly flowName: string;
  readonly source: SftpServerSource;
}

/** Of all users. */
export async function listSftpFolders(tx: TenantTx): Promise<readonly FolderOfFlow[]> {
  const { rows } = await tx.query<{ flowId: string; flowName: string; flowVersionId: string }>(selectFlows, [tx.tenantId]);
  const found: FolderOfFlow[] = [];
  for (const { flowId, flowName, flowVersionId } of rows) {
    const { definition } = await loadFlowVersion(tx, flowVersionId);
    for (const source of definition.spec.sources) if (source.type === 'sftp-server') found.push({ flowId, flowName, source });
  }
  return found;
}

/** A folder of a user is taken by one source: not by that of another flow as well. What could not be read is undefined. */
export async function checkSftpFolders(
  tx: TenantTx,
  flow: FlowDefinition,
  bindings: Readonly<Record<string, string>>,
  report: Report,
): Promise<void> {
  if (!(flow.spec.sources ?? []).some((source) => source?.type === 'sftp-server')) return;
  const others = (await listSftpFolders(tx)).filter(({ flowName }) => flowName !== flow.metadata.name);
  const brought = others.map(({ flowName, source }) => ({ flow: flowName, source }));
  checkSharedFolders(flow, brought, (connection) => boundTo(bindings, connection), report);
}

function boundTo(bindings: Readonly<Record<string, string>>, connection: string): string {
  return Object.hasOwn(bindings, connection) ? bindings[connection]! : connection;
}

export function createSftpUserPlans(options: { readonly environment: string }): SftpUserPlans {
  return {
    async user(tx, name) {
      const spec = ((await findDefinition(tx, 'Connection', name))?.document as Connection | undefined)?.spec;
      if (spec?.type !== 'sftp-server') return undefined;
      const environments = (await listDefinitions(tx, 'Environment')).map(({ document }) => document as Environment);
      const bindings = bindingsOf(environments, options.environment);
      const mine = (await listSftpFolders(tx)).filter(({ source }) => boundTo(bindings, source.connection) === name);
      const { publicKeys, maxSessions, maxUploads, filesPerMinute, bytesPerMinute } = spec;
      const limits = { sessionsMax: maxSessions, uploadsMax: maxUploads, filesPerMinute, bytesPerMinute };
      return { name, publicKeys, limits, folders: mine.map((folder) => folderPlan(folder, mine)) };
    },
  };
}

function folderPlan({ flowId, flowName, source }: FolderOfFlow, all: readonly FolderOfFlow[]): SftpFolderPlan {
  const { id: sourceId, folder, complete, temporary, manifest } = source;
  const isShared = all.filter((other) => other.source.folder === folder).length > 1;
  return { folder, flowId, flowName, sourceId, complete, temporary, manifest, isShared };
}
