/**
 * The one gate before any byte of a file is kept (decisions 33): stored, held and waiting work, files a minute. What is let
 * in but not yet accepted counts against the limits of this process's tenant until its reservation ends. Refusals are
 * answers, not errors: nothing went wrong, and the sender is told when to come again.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { AdmissionLimits } from './arrival-plan.ts';

export type AdmissionLimit = 'stored' | 'held' | 'chunks' | 'rate' | 'unpacking';

export interface Refusal {
  readonly kind: 'refused';
  readonly code: 'E_QUOTA_STORED' | 'E_QUOTA_HELD' | 'E_BACKLOG' | 'E_FILE_RATE' | 'E_UNPACK_BUSY';
  readonly limit: AdmissionLimit;
  /** `full`: until someone makes room. `busy`: it passes. */
  readonly reason: 'full' | 'busy';
  readonly retryAfterMs: number;
}

export interface Reservation {
  readonly kind: 'admitted';
  /** How many files were let in; fewer than asked for when a limit is near. */
  readonly files: number;
  /** Asks for room for more bytes of the same file, beside what is used by now. A refusal leaves the reservation as it was. */
  grow(bytes: number, usage: Pick<Usage, 'storedBytes'>): Refusal | undefined;
  /** After acceptance, refusal or failure, once. */
  end(): void;
}

export interface Usage {
  readonly storedBytes: number;
  readonly heldBytes: number;
  readonly chunksInFlight: number;
  /** Files accepted in the present minute, and how long it lasts still. */
  readonly filesInMinute: number;
  readonly minuteLeftMs: number;
}

export interface Admission {
  /** Lets in up to `files` files of `bytes` together. */
  admit(request: {
    readonly tenantId: string;
    readonly usage: Usage;
    readonly limits: AdmissionLimits;
    readonly files: number;
    readonly bytes: number;
  }): Reservation | Refusal;
}

const fullRetryMs = 60_000;
const backlogRetryMs = 5_000;

export function createAdmission(): Admission {
  const reserved = new Map<string, { bytes: number; files: number }>();

  return {
    admit({ tenantId, usage, limits, files, bytes }) {
      const open = reserved.get(tenantId) ?? { bytes: 0, files: 0 };
      const checkBytes = (more: number, { storedBytes }: Pick<Usage, 'storedBytes'>): Refusal | undefined => {
        if (storedBytes + (reserved.get(tenantId)?.bytes ?? 0) + more > limits.storedBytesMax) return refusal('E_QUOTA_STORED');
        return undefined;
      };
      const filesLeft = limits.filesPerMinute - usage.filesInMinute - open.files;
      if (filesLeft < 1) return refusal('E_FILE_RATE', usage.minuteLeftMs);
      if (usage.chunksInFlight >= limits.chunksInFlightMax) return refusal('E_BACKLOG');
      if (usage.heldBytes >= limits.heldBytesMax) return refusal('E_QUOTA_HELD');
      const tooMany = checkBytes(bytes, usage);
      if (tooMany) return tooMany;
      const mine = { bytes, files: Math.min(files, filesLeft) };
      const add = (more: { bytes: number; files: number }): void => {
        const sum = reserved.get(tenantId) ?? { bytes: 0, files: 0 };
        const next = { bytes: sum.bytes + more.bytes, files: sum.files + more.files };
        if (next.bytes === 0 && next.files === 0) reserved.delete(tenantId);
        else reserved.set(tenantId, next);
      };
      add(mine);
      let isOpen = true;
      return {
        kind: 'admitted',
        files: mine.files,
        grow(more, usageNow) {
          const full = checkBytes(more, usageNow);
          if (full) return full;
          mine.bytes += more;
          add({ bytes: more, files: 0 });
          return undefined;
        },
        end() {
          if (isOpen) add({ bytes: -mine.bytes, files: -mine.files });
          isOpen = false;
        },
      };
    },
  };
}

function refusal(code: Exclude<Refusal['code'], 'E_UNPACK_BUSY'>, retryAfterMs?: number): Refusal {
  switch (code) {
    case 'E_QUOTA_STORED':
      return { kind: 'refused', code, limit: 'stored', reason: 'full', retryAfterMs: fullRetryMs };
    case 'E_QUOTA_HELD':
      return { kind: 'refused', code, limit: 'held', reason: 'full', retryAfterMs: fullRetryMs };
    case 'E_BACKLOG':
      return { kind: 'refused', code, limit: 'chunks', reason: 'busy', retryAfterMs: backlogRetryMs };
    case 'E_FILE_RATE':
      return { kind: 'refused', code, limit: 'rate', reason: 'busy', retryAfterMs: Math.max(1_000, retryAfterMs ?? 0) };
  }
}

const selectUsage = `/* read usage */
  select stored_bytes as "storedBytes", held_bytes as "heldBytes", chunks_in_flight as "chunksInFlight",
    case when minute_at = date_trunc('minute', headgate.clock()) then minute_files else 0 end as "filesInMinute",
    (60000 - (extract(epoch from headgate.clock()) * 1000)::bigint % 60000)::integer as "minuteLeftMs"
  from headgate.tenant_usage where tenant_id = $1`;

export async function readUsage(tx: TenantTx): Promise<Usage> {
  const empty: Usage = { storedBytes: 0, heldBytes: 0, chunksInFlight: 0, filesInMinute: 0, minuteLeftMs: 60_000 };
  return (await tx.query<Usage>(selectUsage, [tx.tenantId])).rows[0] ?? empty;
}

/** What is used by now. Where the database can't say it, what was used before: without the database nothing is accepted either. */
export async function renewUsage(db: Db, tenantId: string, before: Usage): Promise<Usage> {
  try {
    return await withTenant(db, tenantId, readUsage, { readOnly: true });
  } catch (error) {
    if (error instanceof HeadgateError && error.retryable) return before;
    throw error;
  }
}

const countFiles = `/* count accepted files */
  insert into headgate.tenant_usage as u (tenant_id, stored_bytes, held_bytes, minute_at, minute_files)
  values ($1, $3, $4, date_trunc('minute', headgate.clock()), $2)
  on conflict (tenant_id) do update set
    stored_bytes = u.stored_bytes + $3, held_bytes = u.held_bytes + $4,
    minute_files = $2 + case when u.minute_at = excluded.minute_at then u.minute_files else 0 end, minute_at = excluded.minute_at`;

/** In the accepting transaction. Bytes of accepted files are counted with their jobs; these are those of quarantine and hold. */
export async function countUsage(
  tx: TenantTx,
  added: { readonly files: number; readonly storedBytes: number; readonly heldBytes: number },
): Promise<void> {
  await tx.query(countFiles, [tx.tenantId, added.files, added.storedBytes, added.heldBytes]);
}
