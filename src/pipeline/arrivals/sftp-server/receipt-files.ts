/**
 * Receipts as their senders read them: what became of each of the newest files of a folder, as small JSON documents that are
 * made when they are asked for. They hold what is known of the arrival, never content.
 */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { nextOfArrival } from '../arrival-next.ts';
import type { ArrivalState } from '../arrival-state.ts';
import type { SftpFolderPlan } from './sftp-user-plan.ts';

export const receiptSuffix = '.receipt.json';

interface ReceiptRow {
  readonly name: string;
  readonly state: ArrivalState;
  readonly arrivalId: string;
  readonly bytes: number;
  readonly sha256: string | null;
  readonly fileId: string | null;
  readonly duplicateOf: string | null;
  readonly reasonCode: string | null;
  readonly reason: string | null;
  readonly changedAt: Date;
}

export interface ReceiptFile {
  readonly name: string;
  readonly content: Uint8Array;
  readonly changedMs: number;
}

/** Of files of the same name the newest counts. */
const selectReceipts = `/* list receipts of folder */
  select distinct on (a.name) a.* from (
    select name, state, arrival_id as "arrivalId", size_bytes as bytes, sha256, file_id as "fileId", duplicate_of as "duplicateOf",
      reason_code as "reasonCode", reason, changed_at as "changedAt"
    from headgate.arrivals
    where tenant_id = $1 and flow_id = $2 and source_id = $3
      and arrival_id > (lpad(to_hex((extract(epoch from headgate.clock() - interval '7 days') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
    order by arrival_id desc limit 1000
  ) a where $4::text is null or a.name = $4 order by a.name, a."arrivalId" desc`;

type Folder = Pick<SftpFolderPlan, 'folder' | 'flowId' | 'flowName' | 'sourceId'>;

export async function listReceipts(tx: TenantTx, folder: Folder, name: string | null = null): Promise<readonly ReceiptFile[]> {
  const { rows } = await tx.query<ReceiptRow>(selectReceipts, [tx.tenantId, folder.flowId, folder.sourceId, name]);
  return rows.map((row) => receiptOf(row, folder));
}

/** One of each name. */
export function newestOf(receipts: readonly ReceiptFile[]): readonly ReceiptFile[] {
  const newest = new Map<string, ReceiptFile>();
  for (const receipt of receipts) if (receipt.changedMs >= (newest.get(receipt.name)?.changedMs ?? 0)) newest.set(receipt.name, receipt);
  return [...newest.values()];
}

function receiptOf(row: ReceiptRow, { folder, flowName }: Folder): ReceiptFile {
  const { name, state, arrivalId, bytes, sha256, fileId, duplicateOf, reasonCode, reason, changedAt } = row;
  const next = nextOfArrival({ arrivalId, state, reasonCode, reason });
  const document = {
    name,
    folder,
    flow: flowName,
    state,
    arrivalId,
    bytes,
    sha256,
    fileId,
    duplicateOf,
    code: reasonCode,
    reason,
    ...(state === 'quarantined' && { next }),
    at: changedAt.toISOString(),
  };
  return {
    name: `${name}${receiptSuffix}`,
    content: Buffer.from(`${JSON.stringify(document, null, 2)}\n`),
    changedMs: changedAt.getTime(),
  };
}
