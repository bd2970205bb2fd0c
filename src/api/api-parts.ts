/** What the API is made of; `main` gives it. */
import type { JobServices } from '../control/jobs/job-services.ts';
import type { HealthProbes } from '../insight/health/health-probes.ts';
import type { ArrivalPlans } from '../pipeline/arrivals/arrival-plan.ts';
import type { ToldBlobs } from '../pipeline/arrivals/blob/told-blobs.ts';
import type { HeldArrivals } from '../pipeline/arrivals/held-arrivals.ts';
import type { Uploads } from '../pipeline/arrivals/upload.ts';
import type { FolderFence } from '../platform/base/folder-fence.ts';
import type { Ports } from '../platform/base/ports.ts';
import type { Settings } from '../platform/base/settings.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { SealedStore } from '../platform/storage/object-store.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';

export interface HealthFinding {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail: string;
}

export interface Health {
  isStarted(): boolean;
  /** Code of what the start of the process waits for, such as E_DATABASE_UNREACHABLE; null when it waits for nothing. */
  waitsFor(): string | null;
  /** Bounded in time; never rejects. */
  check(): Promise<readonly HealthFinding[]>;
}

export interface ApiParts {
  readonly settings: Settings;
  readonly codeVersion: string;
  readonly db: Db;
  readonly store: SealedStore;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly probes: HealthProbes;
  readonly plans: ArrivalPlans;
  readonly uploads: Uploads;
  readonly heldArrivals: HeldArrivals;
  readonly toldBlobs: ToldBlobs;
  readonly jobs: JobServices;
  readonly folders: FolderFence;
}
