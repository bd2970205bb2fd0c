/** What the work on jobs stands on: given once by `main`, the same for every loop, decision and view. */

import type { WorkKind, WorkQueue } from '../../pipeline/deliveries/work-queue-port.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { CrashPoints } from '../../platform/base/crash-points.ts';
import type { Notifier } from '../../platform/base/notifier.ts';
import type { Ports } from '../../platform/base/ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import type { SealedStore } from '../../platform/storage/object-store.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';

/** A flow version as jobs need it; `createCompiledFlows` gives more. */
export interface JobFlow {
  readonly plan: Plan;
  readonly flowId: string;
  readonly flowName: string;
  /** The author's text. */
  readonly source: string;
}

export interface JobServices {
  readonly db: Db;
  readonly ports: Ports;
  readonly store: SealedStore;
  readonly queue: WorkQueue;
  readonly flows: { load(tx: TenantTx, flowVersionId: string): Promise<JobFlow> };
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly crashPoints: CrashPoints;
  /** Wake the loops of this process that take work of a kind. */
  readonly signals: Readonly<Record<WorkKind, Notifier>>;
}
