/** Rows of accepted files: their sealed bytes, and what they came in. */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { ArrivalFlow } from './arrival-plan.ts';
import { storedObjectId } from './arrival-store.ts';
import type { Judged } from './candidate.ts';

const insertFileRows = `/* add files */
  insert into headgate.files (tenant_id, file_id, arrival_id, flow_id, name, bytes, sha256, container_name, container_bytes, container_sha256,
    container_object_id, container_object, container_arrival_id, via, object_id, object, accepted_number, same_name_as, accepted_at)
  select $1, f.file_id, f.arrival_id, $2, f.name, f.bytes, f.sha256, f.container_name, f.container_bytes, f.container_sha256,
    f.container_object_id, f.container_object::json, f.container_arrival_id, f.via::json, f.object_id, f.object::json, $3 + f.ordinal - 1, f.same_name_as, (select headgate.clock())
  from unnest($4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::uuid[], $13::text[], $14::uuid[], $15::text[],
              $16::uuid[], $17::text[], $18::uuid[])
    with ordinality as f (file_id, arrival_id, name, bytes, sha256, container_name, container_bytes, container_sha256, container_object_id, container_object, container_arrival_id,
      via, object_id, object, same_name_as, ordinal)`;

/** Numbered from `first`, in their order. What a member was unpacked from stays with that arrival, whose row owns its object. */
export async function insertFiles(tx: TenantTx, flow: ArrivalFlow, accepted: readonly Judged[], first: number): Promise<void> {
  if (accepted.length === 0) return;
  const rows = accepted.map(({ candidate, verdict }) => {
    const { name, container, archive } = candidate;
    const member = candidate.member!;
    const packed = container.object !== null && container.object.objectId !== member.object!.objectId ? container.object : null;
    return { ...candidate, member, packed, verdict, origin: archive ?? { arrivalId: null, name, unpack: candidate.unpack, ...container } };
  });
  await tx.query(insertFileRows, [
    tx.tenantId,
    flow.flowId,
    first,
    rows.map((row) => row.fileId),
    rows.map((row) => row.arrivalId),
    rows.map((row) => row.name),
    rows.map((row) => row.member.bytes),
    rows.map((row) => row.member.sha256),
    rows.map((row) => row.origin.name),
    rows.map((row) => row.origin.bytes),
    rows.map((row) => row.origin.sha256),
    rows.map((row) => row.packed && storedObjectId(row.packed)),
    rows.map((row) => row.packed && JSON.stringify(row.packed)),
    rows.map((row) => row.origin.arrivalId),
    rows.map((row) => JSON.stringify(row.origin.unpack)),
    rows.map((row) => storedObjectId(row.member.object!)),
    rows.map((row) => JSON.stringify(row.member.object)),
    rows.map((row) => row.verdict.sameNameAs),
  ]);
}
