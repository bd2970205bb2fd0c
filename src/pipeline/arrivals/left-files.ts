/**
 * Files of a source that leaves them where they are, once they are not there any more: a mount that is away for a moment, or a
 * pattern that is narrower for a day, is no new file when it is back, however long ago the flow's window ended. Only of folders of
 * this machine, where inode and time of change tell a file from every other one.
 */
import { createHash } from 'node:crypto';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { decidedArrivalStates } from './arrival-state.ts';

type LeftFile = { readonly name: string; readonly fingerprint: string };

interface SourceIds {
  readonly flowId: string;
  readonly sourceId: string;
}

const insertLeft = `/* remember files that were left */
  insert into headgate.file_fingerprints (tenant_id, flow_id, kind, value, file_id, claimed_at)
  select $1, $2, 'left', f.value, f.arrival_id, (select headgate.clock()) from unnest($3::text[], $4::uuid[]) as f (value, arrival_id) order by f.value
  on conflict do nothing`;

/** Their arrivals are released in the same transaction. */
export async function rememberLeft(
  tx: TenantTx,
  source: SourceIds,
  files: readonly (LeftFile & { readonly arrivalId: string })[],
): Promise<void> {
  if (files.length === 0) return;
  const values = files.map((file) => keyOf(source, file));
  await tx.query(insertLeft, [tx.tenantId, source.flowId, values, files.map(({ arrivalId }) => arrivalId)]);
}

const takeLeft = `/* recognise files that were left */
  delete from headgate.file_fingerprints p using unnest($3::text[]) as f (value)
  where p.tenant_id = $1 and p.flow_id = $2 and p.kind = 'left' and p.value = f.value
  returning p.value, p.file_id as "arrivalId"`;
const updateHeld = `/* hold arrivals of files that are back */
  update headgate.arrivals set released_at = null
  where tenant_id = $1 and arrival_id = any ($2::uuid[]) and state in (${decidedArrivalStates.map((state) => `'${state}'`).join(', ')})`;

/** Those that are none of these: files that were decided about are known again, as if they had been there all the time. */
export async function withoutLeft<File>(
  tx: TenantTx,
  source: SourceIds,
  files: readonly File[],
  leftOf: (file: File) => LeftFile,
): Promise<readonly File[]> {
  const values = files.map((file) => keyOf(source, leftOf(file)));
  const { rows } = await tx.query<{ value: string; arrivalId: string }>(takeLeft, [tx.tenantId, source.flowId, values]);
  if (rows.length === 0) return files;
  await tx.query(updateHeld, [tx.tenantId, rows.map(({ arrivalId }) => arrivalId)]);
  const known = new Set(rows.map(({ value }) => value));
  return files.filter((_file, index) => !known.has(values[index]!));
}

function keyOf({ sourceId }: SourceIds, { name, fingerprint }: LeftFile): string {
  return createHash('sha256')
    .update(JSON.stringify([sourceId, name, fingerprint]))
    .digest('hex');
}
