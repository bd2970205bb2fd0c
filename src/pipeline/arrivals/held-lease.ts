/** The lease of a source while a poll holds it: what the poll writes proves it, and it is renewed long before it ends. */
import type { Clock } from '../../platform/base/ports.ts';
import { nextTurn } from '../../platform/base/system-ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { proveLease, renewLease, type SourceLease } from './source-lease.ts';

/** Looking at small files, reading and moving them is synchronous; the event loop gets its turn after so long. */
const turnMs = 10;

export class HeldLease {
  readonly lease: SourceLease;
  readonly #parts: { readonly db: Db; readonly clock: Clock; readonly leaseMs: number };
  #renewedAtMs: number;
  #pausedAtMs: number;

  constructor(parts: { readonly db: Db; readonly clock: Clock; readonly leaseMs: number }, lease: SourceLease) {
    this.lease = lease;
    this.#parts = parts;
    this.#renewedAtMs = parts.clock.monotonicMs();
    this.#pausedAtMs = this.#renewedAtMs;
  }

  /** As in the event log. */
  get actor(): string {
    return `source:${this.lease.sourceId}`;
  }

  /** Between two steps of long work: gives others their turn, and renews the lease when a third of it has passed. Fails with E_SOURCE_FENCED. */
  async keep(): Promise<void> {
    await this.#pause();
    if (this.#parts.clock.monotonicMs() - this.#renewedAtMs >= this.#parts.leaseMs / 3) await this.renewIn(async () => undefined);
  }

  /** A transaction that renews the lease first. */
  async renewIn<T>(work: (tx: TenantTx) => Promise<T>): Promise<T> {
    const result = await withTenant(this.#parts.db, this.lease.tenantId, async (tx) => {
      await renewLease(tx, this.lease, this.#parts.leaseMs);
      return work(tx);
    });
    this.#renewedAtMs = this.#parts.clock.monotonicMs();
    return result;
  }

  /** A transaction that proves the lease first. */
  proveIn<T>(work: (tx: TenantTx) => Promise<T>): Promise<T> {
    return withTenant(this.#parts.db, this.lease.tenantId, async (tx) => {
      await proveLease(tx, this.lease);
      return work(tx);
    });
  }

  async #pause(): Promise<void> {
    const { clock } = this.#parts;
    if (clock.monotonicMs() - this.#pausedAtMs < turnMs) return;
    await nextTurn();
    this.#pausedAtMs = clock.monotonicMs();
  }
}
