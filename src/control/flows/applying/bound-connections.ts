/**
 * Connections as an environment binds them: a flow names `bank-sftp`; the Environment document of this process's stage may
 * say that another connection stands behind the name. Without such a document, or such a line, the name stands for itself.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { findDefinition, findTenantPolicy, listDefinitions } from './definition-store.ts';
import { flowStoreErrors } from './flow-store-errors.ts';

export interface BoundConnection {
  readonly name: string;
  readonly type: string;
  /** `spec` of the Connection document without its type. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const stages: Readonly<Record<string, string>> = { dev: 'development', test: 'test', prod: 'production' };

/** Connections by the names that stand for them in the environment of that setting; a name without a line stands for itself. */
export function bindingsOf(
  environments: readonly { readonly spec: { readonly stage: string; readonly connections?: Readonly<Record<string, string>> } }[],
  environment: string,
): Readonly<Record<string, string>> {
  const stage = stages[environment] ?? environment;
  return environments.find((each) => each.spec.stage === stage)?.spec.connections ?? {};
}

/** Fails with E_DEFINITION_UNKNOWN. `environment` is the setting: dev, test or prod. */
export async function findBoundConnection(tx: TenantTx, name: string, environment: string): Promise<BoundConnection> {
  const environments = await listDefinitions(tx, 'Environment');
  const bindings = bindingsOf(
    environments.map(({ document }) => document as { spec: { stage: string; connections?: Record<string, string> } }),
    environment,
  );
  const boundName = Object.hasOwn(bindings, name) ? bindings[name]! : name;
  const connection = await findDefinition(tx, 'Connection', boundName);
  if (!connection) throw new HeadgateError(flowStoreErrors.E_DEFINITION_UNKNOWN, `there is no Connection ${boundName}`);
  const { type, ...settings } = (connection.document as { spec: { type: string } }).spec;
  return { name: boundName, type, settings };
}

/** Where the tenant's targets may connect to. Nothing private and nothing plain without a policy that says so. */
export async function findEgress(tx: TenantTx): Promise<{ readonly allowPrivate: readonly string[]; readonly allowPlain: boolean }> {
  const policy = await findTenantPolicy(tx);
  const egress = (policy?.document as { spec?: { egress?: { allowPrivate?: string[]; allowPlain?: boolean } } } | undefined)?.spec?.egress;
  return { allowPrivate: egress?.allowPrivate ?? [], allowPlain: egress?.allowPlain ?? false };
}
