/** What the delivery loop and the handling of one batch share. */
import type { CrashPoints } from '../../platform/base/crash-points.ts';
import type { Ports } from '../../platform/base/ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import type { SealedStore } from '../../platform/storage/object-store.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import type { AttemptStart } from './attempts/attempt-start.ts';
import type { Leases } from './attempts/leases.ts';
import type { OpenTargets } from './attempts/open-targets.ts';
import type { Refusal } from './attempts/target-admission.ts';
import type { BreakerReports } from './breakers/breaker-reports.ts';
import type { DeliveryDefinitions } from './delivery-definitions.ts';
import type { BatchEnding } from './endings/batch-ending.ts';
import type { GroupCommit } from './endings/group-commit.ts';
import type { LetterRoom } from './endings/letter-room.ts';
import type { WorkQueue } from './work-queue-port.ts';

export interface DeliveryServices {
  readonly db: Db;
  readonly store: SealedStore;
  readonly queue: WorkQueue;
  readonly definitions: DeliveryDefinitions;
  readonly targets: OpenTargets;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'add' | 'observe'>;
  readonly crashPoints: CrashPoints;
  /** As the actor of events. */
  readonly actor: string;
  readonly leaseMs: number;
  readonly leases: Leases;
  readonly starts: GroupCommit<AttemptStart, Refusal>;
  readonly endings: GroupCommit<BatchEnding>;
  readonly letterRoom: LetterRoom;
  readonly breakers: BreakerReports;
}
