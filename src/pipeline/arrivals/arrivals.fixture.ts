/** A tenant with one flow, a source folder and a store of its own for tests of arrivals; jobs are stood in for by their events. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFence } from '../../../test/support/open-fence.ts';
import { openSecrets } from '../../../test/support/open-secrets.ts';
import type { TestDatabase } from '../../../test/support/postgres.ts';
import { temporaryFolder, temporaryStore } from '../../../test/support/temporary-store.ts';
import { ensureTenant } from '../../platform/access/tenants.ts';
import type { CrashPoints } from '../../platform/base/crash-points.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { recordEvents } from '../../platform/events/event-log.ts';
import type { Unpack } from '../../platform/packing/packings.ts';
import type { Db } from '../../platform/postgres/database.ts';
import type { SealedObject } from '../../platform/storage/object-store.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { delimitedFormat as delimitedPlan, fieldPlan, planOf, recordPlan } from '../engine/plans.fixture.ts';
import { delimitedFormat } from '../formats/delimited/delimited-format.ts';
import type { Format } from '../formats/format.ts';
import type { AcceptedFile, CreateJobs } from './accepted-file.ts';
import { createAdmission } from './admission.ts';
import type {
  AdmissionLimits,
  ArrivalFlow,
  ArrivalPlans,
  BlobSourcePlan,
  DuplicatePolicy,
  FolderSourcePlan,
  SftpSourcePlan,
} from './arrival-plan.ts';
import { createBlobPlaces } from './blob/blob-places.ts';
import { createFileIntake, type FileIntake, type IntakeParts } from './file-intake.ts';
import { judgeFiles } from './file-verdicts.ts';
import { createHeldArrivals, type HeldArrivals } from './held-arrivals.ts';
import { createDirectIntakeStore } from './intake-store.ts';
import { createSftpPlaces } from './sftp/sftp-places.ts';
import { endLease, leaseDueSources } from './source-lease.ts';
import { type PollResult, pollSource, type SourcePollParts } from './source-poll.ts';
import { createUploads, type UploadRequest } from './upload.ts';

const { ids } = systemPorts;

/** Of worlds whose files lie elsewhere. */
export const noBlobs = createBlobPlaces({ secrets: openSecrets(), resolveHost: async () => [], ports: systemPorts });
export const noSftp = createSftpPlaces({ secrets: openSecrets(), resolveHost: async () => [], ports: systemPorts });

export const roomyLimits: AdmissionLimits = {
  storedBytesMax: 1024 ** 4,
  heldBytesMax: 1024 ** 4,
  chunksInFlightMax: 1_000_000,
  recordBytesMax: 1024 * 1024,
  filesPerMinute: 1_000_000,
};

const plan = planOf({
  format: delimitedPlan,
  records: [
    recordPlan([fieldPlan('id', 'string', { column: 0, header: null }), fieldPlan('amount', 'decimal', { column: 1, header: null })]),
  ],
});

export interface World {
  readonly tenantId: string;
  readonly flow: ArrivalFlow;
  readonly folder: string;
  readonly store: ReturnType<typeof temporaryStore>;
  /** To be changed by a test before it acts. */
  readonly settings: {
    source: FolderSourcePlan;
    /** Where the same folder is polled at a server. */
    server: Pick<SftpSourcePlan, 'tenant' | 'server' | 'egress'> | null;
    /** Where a container is polled instead. */
    blob: Pick<BlobSourcePlan, 'tenant' | 'blob' | 'egress'> | null;
    duplicates: DuplicatePolicy;
    limits: AdmissionLimits;
    /** References `env:` to these. */
    secrets: Record<string, string>;
    isEnabled: boolean;
    hasUploads: boolean;
    accepted: AcceptedFile[];
  };
  readonly plans: ArrivalPlans;
  put(name: string | Buffer, content: string | Uint8Array): void;
  /** Names in the source folder, its own folders left out. */
  names(): string[];
  inDone(): string[];
  inQuarantine(): string[];
  /** Leases the source as a process would, whatever its due time, and polls it once. */
  poll(
    options?: {
      readonly crashPoints?: CrashPoints;
      readonly leaseMs?: number;
      readonly db?: Db;
      /** Gives the lease back, as a process does that goes on. */
      readonly isEnded?: boolean;
    } & Partial<SourcePollParts>,
  ): Promise<PollResult>;
  upload(
    request?: Partial<UploadRequest> & { readonly content?: string | Uint8Array; readonly parts?: Partial<IntakeParts> },
  ): ReturnType<ReturnType<typeof createUploads>['receiveUpload']>;
  readonly held: HeldArrivals;
  /** As `poll` uses it, unless it is given another one. */
  intake(): FileIntake;
  /** Of the source, by the database's clock. */
  leaseUntil(): Promise<Date>;
  /** The verdicts on these files by a policy, `size` of them in a transaction, with the numbers of the files instead of ids. */
  judgeInBatches(
    duplicates: DuplicatePolicy,
    files: readonly { readonly name: string; readonly content: string }[],
    size: number,
  ): Promise<unknown[]>;
  /** Arrivals in the order of their ids. */
  arrivals(): Promise<
    {
      name: string;
      state: string;
      reason_code: string | null;
      released: boolean;
      file_id: string | null;
      duplicate_of: string | null;
      object: SealedObject | null;
    }[]
  >;
  files(): Promise<
    {
      name: string;
      sha256: string;
      accepted_number: number;
      object: SealedObject;
      container_object: SealedObject | null;
      container_name: string;
      container_sha256: string;
      via: Unpack;
      same_name_as: string | null;
    }[]
  >;
  /** In the order of `arrivals`. */
  arrivalIds(): Promise<string[]>;
  storedAndHeld(): Promise<{ stored_bytes: number; held_bytes: number }>;
  /** Files for which jobs were made, in committed transactions. */
  jobs(): Promise<number>;
  /** `type from>to` of the arrivals' events, in order. */
  events(): Promise<string[]>;
  content(object: SealedObject): Promise<string>;
  /** Stored objects and unfinished ones that are in the store. */
  storedNames(): string[];
}

export async function createWorld(database: TestDatabase): Promise<World> {
  const tenantId = await ensureTenant(database.db, ids, { name: `t-${ids.next()}`, cell: 'local', region: 'here' });
  const flow: ArrivalFlow = {
    flowId: ids.next(),
    flowName: 'eft',
    flowVersionId: ids.next(),
    plan,
    duplicates: { keys: ['sha256'], windowMs: 86_400_000, onDuplicate: 'reject', onSameName: 'accept' },
  };
  await withTenant(database.db, tenantId, async (tx) => {
    await tx.query(
      "/* plant flow */ insert into headgate.flows (tenant_id, flow_id, service, name, created_at) values ($1, $2, 'payments', 'eft', headgate.clock())",
      [tenantId, flow.flowId],
    );
    await tx.query(
      "/* plant schedule */ insert into headgate.source_schedules (tenant_id, flow_id, source_id, due_at) values ($1, $2, 'in', headgate.clock())",
      [tenantId, flow.flowId],
    );
  });
  const root = temporaryFolder();
  const folder = join(root, 'in');
  mkdirSync(folder);
  const store = temporaryStore();
  const source: FolderSourcePlan = {
    type: 'folder',
    sourceId: 'in',
    root,
    path: 'in',
    match: '*',
    unpack: [],
    pgp: null,
    limits: { bytesMax: 1024 ** 3, unpackedBytesMax: 1024 ** 3, ratioMax: 200, entriesMax: 256, filesPerMinute: null },
    ready: { stableForMs: 0, marker: null, manifest: null, timeoutMs: 86_400_000 },
    pollMs: 1_000,
    afterwards: 'move',
    mark: null,
  };
  const settings: World['settings'] = {
    source,
    server: null,
    blob: null,
    duplicates: flow.duplicates,
    limits: roomyLimits,
    secrets: {},
    isEnabled: true,
    hasUploads: true,
    accepted: [],
  };
  const flowNow = () => ({ ...flow, duplicates: settings.duplicates });
  const sourceNow = () => {
    if (settings.blob) return { ...settings.source, ...settings.blob, type: 'blob' as const };
    return settings.server ? { ...settings.source, ...settings.server, type: 'sftp' as const } : settings.source;
  };
  const plans: ArrivalPlans = {
    byName: async () => ({
      flow: flowNow(),
      source: settings.hasUploads ? { ...settings.source, sourceId: 'http' } : null,
      isEnabled: settings.isEnabled,
    }),
    bySource: async () => (settings.isEnabled ? { flow: flowNow(), source: sourceNow() } : undefined),
    limits: async () => settings.limits,
  };
  const createJobs: CreateJobs = async (tx, accepted) => {
    settings.accepted.push(...accepted);
    await recordEvents(
      tx,
      ids,
      accepted.map((file) => ({ type: 'job.created', objectId: file.fileId, from: '', to: 'queued', actor: file.actor })),
    );
  };
  const parts: IntakeParts = {
    db: database.db,
    ports: systemPorts,
    store: createDirectIntakeStore({ store: store.store, formats: [delimitedFormat as unknown as Format], ids }),
    createJobs,
    secrets: openSecrets(settings.secrets),
    chunkBytes: 1024 * 1024,
  };
  const rows = async <Row>(sql: string) => (await database.adminDb.query<Row>(sql, [tenantId])).rows;
  const list = (name: string) => {
    try {
      return readdirSync(join(folder, name)).sort();
    } catch {
      return [];
    }
  };
  const admission = createAdmission();
  return {
    tenantId,
    flow,
    folder,
    store,
    settings,
    plans,
    put: (name, content) => writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name as string)]), content),
    names: () => list('.').filter((name) => !name.startsWith('.headgate')),
    inDone: () => list('.headgate-done'),
    inQuarantine: () => list('.headgate-quarantine'),
    async poll({ crashPoints, leaseMs = 30_000, db = database.db, isEnded = false, ...more } = {}) {
      await database.adminDb.query(
        '/* due now */ update headgate.source_schedules set due_at = headgate.clock(), lease_until = null where tenant_id = $1',
        [tenantId],
      );
      const leases = await leaseDueSources(db, { workerId: ids.next(), limit: 1_000, leaseMs });
      const lease = leases.find((each) => each.tenantId === tenantId)!;
      const intake = createFileIntake({ ...parts, db, crashPoints });
      const result = await pollSource(
        {
          db,
          ports: systemPorts,
          intake,
          admission,
          plans,
          folders: openFence,
          sftp: noSftp,
          blobs: noBlobs,
          leaseMs,
          crashPoints,
          ...more,
        },
        lease,
        new AbortController().signal,
      );
      if (isEnded) await withTenant(db, tenantId, (tx) => endLease(tx, lease, result.dueInMs, !result.isFound));
      return result;
    },
    async upload({ content = 'a,1.00\n', parts: changed = {}, ...request } = {}) {
      const all = { ...parts, ...changed };
      const uploads = createUploads({
        db: all.db,
        ports: systemPorts,
        intake: createFileIntake(all),
        admission,
        plans,
        lackOfSpace: () => undefined,
        packedMax: 4,
      });
      return uploads.receiveUpload({
        tenantId,
        flowName: 'eft',
        name: 'a.csv',
        headers: {},
        body: bodyOf(content),
        actor: 'key:test',
        ...request,
      });
    },
    intake: () => createFileIntake(parts),
    leaseUntil: async () =>
      (await rows<{ until: Date }>('/* lease */ select lease_until as until from headgate.source_schedules where tenant_id = $1'))[0]!
        .until,
    held: createHeldArrivals({
      db: database.db,
      ports: systemPorts,
      intake: createFileIntake(parts),
      store: parts.store,
      plans,
      createJobs,
    }),
    async judgeInBatches(duplicates, files, size) {
      const judged = files.map(({ name, content }) => ({
        fileId: ids.next(),
        name,
        memberSha256: content,
        containerSha256: content,
        recordsSha256: null,
        problem: null,
        knownDuplicateOf: null,
        members: null,
      }));
      const numberOf = (fileId: string | null) => fileId && judged.findIndex((file) => file.fileId === fileId);
      const verdicts: unknown[] = [];
      for (let at = 0; at < judged.length; at += size) {
        const batch = await withTenant(database.db, tenantId, (tx) =>
          judgeFiles(tx, { flowId: flow.flowId, duplicates }, judged.slice(at, at + size)),
        );
        verdicts.push(
          ...batch.map((verdict) => ({ ...verdict, duplicateOf: numberOf(verdict.duplicateOf), sameNameAs: numberOf(verdict.sameNameAs) })),
        );
      }
      const { rows: owners } = await database.adminDb.query<{ kind: string; value: string; file_id: string }>(
        '/* owners */ select kind, value, file_id from headgate.file_fingerprints where tenant_id = $1 order by kind, value',
        [tenantId],
      );
      return [...verdicts, ...owners.map((owner) => ({ ...owner, file_id: numberOf(owner.file_id) }))];
    },
    arrivals: () =>
      rows(
        '/* arrivals */ select name, state, reason_code, released_at is not null as released, file_id, duplicate_of, object from headgate.arrivals where tenant_id = $1 order by arrival_id',
      ),
    files: () =>
      rows(
        '/* files */ select name, sha256, accepted_number, object, container_object, container_name, container_sha256, via, same_name_as from headgate.files where tenant_id = $1 order by accepted_number',
      ),
    arrivalIds: async () =>
      (await rows<{ id: string }>('/* ids */ select arrival_id as id from headgate.arrivals where tenant_id = $1 order by arrival_id')).map(
        ({ id }) => id,
      ),
    storedAndHeld: async () =>
      (
        await rows<{ stored_bytes: number; held_bytes: number }>(
          '/* usage */ select stored_bytes, held_bytes from headgate.tenant_usage where tenant_id = $1',
        )
      )[0]!,
    jobs: async () =>
      (await rows<{ n: number }>("/* jobs */ select count(*) as n from headgate.events where tenant_id = $1 and type = 'job.created'"))[0]!
        .n,
    events: async () =>
      (
        await rows<{ text: string }>(
          "/* events */ select type || ' ' || from_state || '>' || to_state as text from headgate.events where tenant_id = $1 and type like 'arrival.%' order by event_id",
        )
      ).map((row) => row.text),
    async content(object) {
      const reader = store.store.open(tenantId, object);
      try {
        const bytes = Buffer.alloc(reader.size);
        reader.read(bytes, 0, bytes.length, 0);
        return bytes.toString('utf8');
      } finally {
        reader.close();
      }
    },
    storedNames: () => [...store.raw.list('')].map((each) => each.name).concat([...store.raw.listUnfinished()].map((each) => each.name)),
  };
}

export async function* bodyOf(content: string | Uint8Array, pieceBytes = 50_000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content as string);
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Ends the unit of work at the n-th reach of a point, as the end of the process would. */
export class SimulatedEnd extends Error {}

export function endAt(name: string, at = 1): CrashPoints {
  let left = at;
  return {
    reach(reached) {
      if (reached === name && --left === 0) throw new SimulatedEnd(name);
    },
  };
}
