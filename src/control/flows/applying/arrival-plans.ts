/**
 * What arrivals ask of flows, sources and policies (`ArrivalPlans`): the version in force, with its connections resolved
 * through the environment of this process.
 */
import { isAbsolute } from 'node:path';
import type {
  AdmissionLimits,
  ArrivalFlow,
  ArrivalPlans,
  PgpKeysPlan,
  PolledSourcePlan,
  SftpServerPlan,
  SourcePlan,
} from '../../../pipeline/arrivals/arrival-plan.ts';
import { findOwnTenant } from '../../../platform/access/tenants.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { type BlobConnectionType, blobConnectionOf, isBlobConnectionType } from '../../../platform/blob/blob-connection.ts';
import type { Unpack } from '../../../platform/packing/packings.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { PgpConnection, SftpConnection } from '../connection-definition.ts';
import type { PolledSourceDefinition, SourceDefinition } from '../definition.ts';
import { findBoundConnection, findEgress } from './bound-connections.ts';
import { findTenantPolicy } from './definition-store.ts';
import { flowStoreErrors } from './flow-store-errors.ts';
import { loadFlowVersion } from './flow-store-versions.ts';
import { type FlowView, findFlowById, getFlow } from './flow-views.ts';

type LoadedVersion = Awaited<ReturnType<typeof loadFlowVersion>>;

const gibibyte = 1024 ** 3;

/** In force where a tenant has no policy. The same numbers as the defaults of the TenantPolicy document. */
export const defaultAdmission: AdmissionLimits = {
  storedBytesMax: 1024 * gibibyte,
  heldBytesMax: 50 * gibibyte,
  chunksInFlightMax: 10_000,
  recordBytesMax: 16 * 1024 * 1024,
  filesPerMinute: 6_000,
};

interface PlanOptions {
  readonly environment: string;
  readonly uploadBytesMax: number;
}

export function createArrivalPlans(options: PlanOptions): ArrivalPlans {
  async function load(tx: TenantTx, flow: FlowView): Promise<LoadedVersion | undefined> {
    return flow.flowVersionId === null ? undefined : loadFlowVersion(tx, flow.flowVersionId);
  }
  return {
    async byName(tx, flowName, sourceId) {
      const view = await getFlow(tx, flowName);
      const compiled = await load(tx, view);
      if (!compiled) throw new HeadgateError(flowStoreErrors.E_FLOW_UNKNOWN, 'the flow has no version in force');
      const { sources } = compiled.definition.spec;
      const source = sources.find(({ id, type }) => (sourceId === undefined ? type === 'http' : type === 'sftp-server' && id === sourceId));
      return { flow: arrivalFlow(compiled), source: source ? await sourcePlan(tx, source, options) : null, isEnabled: view.enabled };
    },
    async bySource(tx, flowId, sourceId) {
      const view = await findFlowById(tx, flowId);
      const compiled = view?.enabled ? await load(tx, view) : undefined;
      const source = compiled?.definition.spec.sources.find((each) => each.id === sourceId);
      if (!compiled || source === undefined || isUpload(source)) return undefined;
      return { flow: arrivalFlow(compiled), source: await polledPlan(tx, source, options) };
    },
    async limits(tx) {
      const policy = await findTenantPolicy(tx);
      const admission = (policy?.document as { spec?: { admission?: Record<string, number> } } | undefined)?.spec?.admission;
      if (!admission) return defaultAdmission;
      return {
        storedBytesMax: admission.maxStoredBytes ?? defaultAdmission.storedBytesMax,
        heldBytesMax: admission.maxHeldBytes ?? defaultAdmission.heldBytesMax,
        chunksInFlightMax: admission.maxChunksInFlight ?? defaultAdmission.chunksInFlightMax,
        recordBytesMax: admission.maxRecordBytes ?? defaultAdmission.recordBytesMax,
        filesPerMinute: admission.filesPerMinute ?? defaultAdmission.filesPerMinute,
      };
    },
  };
}

function arrivalFlow({ flowId, flowName, flowVersionId, plan, definition }: LoadedVersion): ArrivalFlow {
  const { file, window, onDuplicate, onSameName } = definition.spec.duplicates;
  return { flowId, flowName, flowVersionId, plan, duplicates: { keys: file, windowMs: window, onDuplicate, onSameName } };
}

/** Senders bring its files; those of the others are fetched. */
function isUpload(source: SourceDefinition): source is Extract<SourceDefinition, { type: 'http' | 'sftp-server' }> {
  return source.type === 'http' || source.type === 'sftp-server';
}

async function sourcePlan(tx: TenantTx, source: SourceDefinition, options: PlanOptions): Promise<SourcePlan> {
  const { limits, pgp } = source;
  return {
    sourceId: source.id,
    match: source.match,
    unpack: stepsOf(source.unpack),
    pgp: pgp === undefined ? null : await pgpPlan(tx, pgp, options.environment),
    limits: {
      bytesMax: isUpload(source) ? Math.min(limits.maxSize, options.uploadBytesMax) : limits.maxSize,
      unpackedBytesMax: limits.maxUnpackedSize,
      ratioMax: limits.maxRatio,
      entriesMax: limits.maxMembers,
      filesPerMinute: limits.filesPerMinute ?? null,
    },
  };
}

async function pgpPlan(tx: TenantTx, name: string, environment: string): Promise<PgpKeysPlan> {
  const { type, settings } = await findBoundConnection(tx, name, environment);
  if (type !== 'pgp') throw new HeadgateError(flowStoreErrors.E_DEFINITION_UNKNOWN, `the connection ${name} is of another type than pgp`);
  const { privateKey, passphrase, signers, signature } = settings as unknown as PgpConnection;
  const tenant = (await findOwnTenant(tx)).name;
  return { tenant, privateKey, passphrase: passphrase ?? null, signers, isSignatureRequired: signature === 'required' };
}

function stepsOf(unpack: SourceDefinition['unpack']): Unpack {
  if (unpack === 'none') return [];
  return typeof unpack === 'string' ? [unpack] : unpack;
}

async function polledPlan(tx: TenantTx, source: PolledSourceDefinition, options: PlanOptions): Promise<PolledSourcePlan> {
  const { type, settings } = await findBoundConnection(tx, source.connection, options.environment);
  const root = settings['root'];
  const isOfType = source.type === 'blob' ? isBlobConnectionType(type) : type === source.type;
  if (!isOfType || typeof root !== 'string' || (type === 'folder' && !isAbsolute(root)))
    throw new HeadgateError(
      flowStoreErrors.E_DEFINITION_UNKNOWN,
      `the connection ${source.connection} is of another type than ${source.type}`,
    );
  const { ready } = source;
  const polled = {
    ...(await sourcePlan(tx, source, options)),
    root,
    path: source.path,
    ready: { stableForMs: ready.stableFor, marker: ready.marker ?? null, manifest: ready.manifest ?? null, timeoutMs: ready.timeout },
    pollMs: source.poll,
    afterwards: source.afterwards,
    mark: source.afterwards === 'mark' ? (source.mark ?? null) : null,
  };
  if (source.type === 'folder') return { type: 'folder', ...polled };
  const remote = { ...polled, tenant: (await findOwnTenant(tx)).name, egress: await findEgress(tx) };
  if (source.type === 'sftp') return { type: 'sftp', ...remote, server: serverPlan(settings as unknown as SftpConnection) };
  return { type: 'blob', ...remote, blob: blobConnectionOf(type as BlobConnectionType, settings) };
}

function serverPlan({ host, port, user, password, privateKey, passphrase, hostKeys }: SftpConnection): SftpServerPlan {
  return { host, port, user, password: password ?? null, privateKey: privateKey ?? null, passphrase: passphrase ?? null, hostKeys };
}
