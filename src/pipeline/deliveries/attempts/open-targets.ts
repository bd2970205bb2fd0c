/**
 * The targets that this process has open, one for each flow version's target and connection as it is now: a changed
 * connection or policy opens a new one, and the old one is closed when nothing uses it. Bounded: the longest unused go first.
 */

import { HeadgateError } from '../../../platform/base/errors.ts';
import type { FolderFence } from '../../../platform/base/folder-fence.ts';
import type { ConnectionSecrets } from '../../../platform/secrets/connection-secrets.ts';
import type { Connector, ConnectorPorts, MatchAnswers, Target } from '../../connectors/connector.ts';
import { connectorErrors } from '../../connectors/connector-errors.ts';
import type { Plan, TargetPlan } from '../../engine/plan.ts';
import type { TargetBinding } from '../delivery-definitions.ts';

/** What opening takes besides the target itself. */
export interface TargetOpening {
  readonly connectors: readonly Connector[];
  readonly folders: FolderFence;
  readonly secrets: ConnectionSecrets;
  readonly ports: ConnectorPorts;
  /** Absent where targets are only probed. */
  readonly matchAnswers?: MatchAnswers | undefined;
}

export interface OpenTargetsOptions extends TargetOpening {
  readonly openMax?: number;
}

export interface TargetAddress {
  readonly tenantId: string;
  readonly flowVersionId: string;
  readonly plan: Plan;
  readonly target: TargetPlan;
  /** An error: there is no connection of this name. */
  readonly binding: TargetBinding | HeadgateError;
}

export interface OpenTargets {
  /** Runs `use` with the target, which stays open meanwhile. One that can't be opened refuses every batch, and says why. */
  use<T>(address: TargetAddress, use: (target: Target) => Promise<T>): Promise<T>;
  closeAll(): Promise<void>;
}

interface Entry {
  readonly target: Target;
  readonly hash: string;
  users: number;
  isRetired: boolean;
}

export function createOpenTargets(options: OpenTargetsOptions): OpenTargets {
  const { openMax = 256 } = options;
  /** Least recently used first. */
  const entries = new Map<string, Entry>();

  function retire(key: string, entry: Entry): void {
    entries.delete(key);
    entry.isRetired = true;
    closeUnused(entry);
  }
  function closeUnused(entry: Entry): void {
    // A driver that fails to close has nothing left that could be lost.
    if (entry.isRetired && entry.users === 0) void entry.target.close().catch(() => {});
  }
  function entryOf(address: TargetAddress, binding: TargetBinding): Entry {
    // As a backup, a target keeps the order of the one that it stands in for.
    const key = `${address.tenantId} ${address.flowVersionId} ${address.target.id} ${address.target.order}`;
    let entry = entries.get(key);
    if (entry !== undefined && entry.hash !== binding.hash) {
      retire(key, entry);
      entry = undefined;
    }
    entry ??= { target: openTarget(options, address, binding), hash: binding.hash, users: 0, isRetired: false };
    entries.delete(key);
    entries.set(key, entry);
    for (const [oldKey, old] of entries) {
      if (entries.size <= openMax) break;
      if (old.users === 0 && old !== entry) retire(oldKey, old);
    }
    return entry;
  }
  return {
    async use(address, use) {
      let entry: Entry;
      try {
        if (address.binding instanceof HeadgateError) throw address.binding;
        entry = entryOf(address, address.binding);
      } catch (error) {
        if (!(error instanceof HeadgateError)) throw error;
        return await use(closedTarget(error, address.target));
      }
      entry.users += 1;
      try {
        return await use(entry.target);
      } finally {
        entry.users -= 1;
        closeUnused(entry);
      }
    },
    async closeAll() {
      const open = [...entries.values()];
      entries.clear();
      await Promise.allSettled(open.map(({ target }) => target.close()));
    },
  };
}

/**
 * It may be mended before the batch is tried again. One that could say what became of a batch says nothing yet, so that the batch is
 * not taken for one of which nobody knows.
 */
function closedTarget({ code, message }: HeadgateError, { settings }: TargetPlan): Target {
  const canBeAsked = settings['status'] !== undefined;
  return {
    unknownResolution: canBeAsked ? 'query' : 'labelled-resend',
    ...(canBeAsked ? { resolve: async () => ({ kind: 'unresolved', code, mustWait: true }) as const } : {}),
    deliver: async () => ({ kind: 'refused', retryable: true, code, message }),
    probe: async () => ({ isReachable: false, code, message, durationMs: 0 }),
    close: async () => {},
  };
}

/** Makes no connection. Fails with E_TARGET and E_SSRF, as the connector does. */
export function openTarget(
  { connectors, folders, secrets, ports, matchAnswers }: TargetOpening,
  { tenantId, plan, target }: TargetAddress,
  binding: TargetBinding,
): Target {
  const connector = connectors.find(({ name }) => name === target.type);
  if (connector === undefined) throw new HeadgateError(connectorErrors.E_TARGET, `there is no connector ${JSON.stringify(target.type)}`);
  const { tenant, connection, egress } = binding;
  if (connector.connectionType !== null && connection.type !== connector.connectionType) {
    throw new HeadgateError(connectorErrors.E_TARGET, `the connection of the target is not of type ${connector.connectionType}`);
  }
  return connector.open({ tenantId, plan, target, connection, egress, folders, secrets: secrets.of(tenant), ports, matchAnswers });
}
