/**
 * The peer of the small-files level: what the product does with a file, one file at a time, as lean as that can be done. For
 * each file, in order: read and hash it; seal it in the archive (one fsync for the object, one for its folder, read back); run
 * it through the same compiled flow; seal its output, outcomes and rejections (two more); keep arrival, file, fingerprints,
 * job, chunk, batch, the attempt that begins and an event for each step in one statement, which is one transaction; move the
 * file away at its source (two folders fsynced); write the output under a temporary name, fsync, rename, fsync the folder; and
 * keep that it arrived, the signed receipt and the last events in a second statement. No queue, no leases, no claims.
 * Usage: LOOP_DATABASE_URL=… node same-work-loop.ts FLOW INPUT-FOLDER OUTPUT-FOLDER; prints {files, seconds} of the loop alone.
 */
import { fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { canonicalJson } from '../../src/pipeline/ledger/canonical-json.ts';
import { signReceipt } from '../../src/pipeline/ledger/receipt-signature.ts';
import { loadEmbeddedSigningKey } from '../../src/pipeline/ledger/signing-key.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { createKeyRing } from '../../src/platform/storage/data-keys.ts';
import { createLocalStore } from '../../src/platform/storage/local-store.ts';
import { createSealedStore } from '../../src/platform/storage/sealed-store.ts';
import { openFlow, sha256, writeDurably } from './loop-parts.ts';

const schema = `
  create table if not exists same_arrivals (arrival_id uuid primary key, name text not null, state text not null, sha256 text not null, file_id uuid not null, seen_at timestamptz not null);
  create table if not exists same_files (file_id uuid primary key, name text not null, bytes bigint not null, sha256 text not null, object json not null, accepted_at timestamptz not null);
  create index if not exists same_files_by_sha256 on same_files (sha256);
  create table if not exists same_fingerprints (kind text not null, value text not null, file_id uuid not null, primary key (kind, value));
  create table if not exists same_jobs (job_id uuid primary key, file_id uuid not null, state text not null, totals json not null, receipt text, signature text, closed_at timestamptz);
  create index if not exists same_jobs_by_file on same_jobs (file_id);
  create table if not exists same_chunks (job_id uuid not null, chunk_number int not null, summary json not null, segments json not null, primary key (job_id, chunk_number));
  create table if not exists same_batches (batch_id uuid primary key, job_id uuid not null, state text not null, body_sha256 text not null, records int not null);
  create index if not exists same_batches_by_job on same_batches (job_id);
  create table if not exists same_attempts (attempt_id uuid primary key, batch_id uuid not null, outcome text, evidence text);
  create table if not exists same_events (event_id uuid primary key, object_id uuid not null, type text not null, at timestamptz not null);
  create index if not exists same_events_by_object on same_events (object_id, event_id);`;
const accept = {
  name: 'accept',
  text: `with a as (insert into same_arrivals values ($1, $2, 'accepted', $3, $4, clock_timestamp())),
    f as (insert into same_files values ($4, $2, $5, $3, $6, clock_timestamp())),
    p as (insert into same_fingerprints values ('sha256', $3, $4), ('name', $2, $4)),
    j as (insert into same_jobs values ($7, $4, 'delivering', $8)),
    c as (insert into same_chunks values ($7, 0, $9, $10)),
    b as (insert into same_batches values ($11, $7, 'sending', $12, $13)),
    t as (insert into same_attempts values ($14, $11))
    insert into same_events select e.event_id, e.object_id, e.type, clock_timestamp() from unnest($15::uuid[], $16::uuid[], $17::text[]) as e (event_id, object_id, type)`,
};
const close = {
  name: 'close',
  text: `with t as (update same_attempts set outcome = 'acked', evidence = 'the file was written, named and fsynced' where attempt_id = $1),
    b as (update same_batches set state = 'acked' where batch_id = $2),
    j as (update same_jobs set state = 'completed', receipt = $4, signature = $5, closed_at = clock_timestamp() where job_id = $3)
    insert into same_events select e.event_id, e.object_id, e.type, clock_timestamp() from unnest($6::uuid[], $7::uuid[], $8::text[]) as e (event_id, object_id, type)`,
};

const { ids, rng } = systemPorts;
const [flowPath, inputFolder, outputFolder] = process.argv.slice(2) as [string, string, string];
const flow = openFlow(flowPath);
const database = new pg.Client({ connectionString: process.env.LOOP_DATABASE_URL });
await database.connect();
await database.query(schema);
const doneFolder = join(inputFolder, '.done');
for (const made of [outputFolder, doneFolder, `${outputFolder}-archive`]) mkdirSync(made, { recursive: true });
const [output, input, done] = [outputFolder, inputFolder, doneFolder].map((path) => openSync(path, 'r')) as [number, number, number];
const raw = createLocalStore({ root: `${outputFolder}-archive`, rng });
const store = createSealedStore({ raw, cell: 'local', keyRing: createKeyRing([{ version: 1, bytes: rng.bytes(32) }]), rng });
const signingKey = loadEmbeddedSigningKey(join(`${outputFolder}-archive`, 'signing.pem'), rng);
const definition = sha256(readFileSync(flowPath)).toString('hex');
const tenantId = ids.next();
const names = readdirSync(inputFolder, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ name }) => name)
  .sort();
const startedAt = performance.now();
for (const name of names) await processFile(name);
const seconds = (performance.now() - startedAt) / 1_000;
await database.end();
process.stdout.write(`${JSON.stringify({ files: names.length, seconds })}\n`);

async function processFile(name: string): Promise<void> {
  const content = readFileSync(join(inputFolder, name));
  const hash = sha256(content).toString('hex');
  const [arrivalId, fileId, jobId, batchId, attemptId, groupId] = Array.from({ length: 6 }, () => ids.next()) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const [archived] = store.createPack({ tenantId, objectId: ids.next(), kind: 'pack' }, [{ objectId: fileId, bytes: content }]);
  const run = flow.run(content);
  const parts = [run.output, run.outcomes, run.rejections].filter((part) => part.length > 0);
  const segments = store.createPack(
    { tenantId, objectId: ids.next(), kind: 'pack' },
    parts.map((bytes) => ({ objectId: ids.next(), bytes })),
  );
  const body = sha256(run.output).toString('hex');
  const accepted = [
    ...['seen', 'complete', 'verified', 'accepted'].map((type) => [arrivalId, `arrival.${type}`]),
    [jobId, 'job.created'],
    ...['created', 'claimed', 'finished'].map((type) => [groupId, `chunk_group.${type}`]),
    [jobId, 'job.accepted'],
    ...['cut', 'sent'].map((type) => [batchId, `batch.${type}`]),
  ] as [string, string][];
  await database.query(accept, [
    arrivalId,
    name,
    hash,
    fileId,
    content.length,
    JSON.stringify(archived),
    jobId,
    JSON.stringify({ records: run.summary.records, amounts: run.summary.amounts }),
    JSON.stringify(run.summary),
    JSON.stringify(segments),
    batchId,
    body,
    run.summary.records.valid,
    attemptId,
    ...eventColumns(accepted),
  ]);
  renameSync(join(inputFolder, name), join(doneFolder, name));
  fsyncSync(done);
  fsyncSync(input);
  writeDurably(join(outputFolder, name.replace(/\.csv$/, '.ndjson')), run.output, output);
  const at = new Date().toISOString();
  const receipt = canonicalJson({
    receiptVersion: 1,
    tenant: { id: tenantId, name: 'bench' },
    job: { id: jobId, state: 'completed', verdict: run.summary.records.rejected > 0 ? 'partial' : 'accepted' },
    flow: flow.plan.flow,
    definition: { sha256: definition },
    file: { name, sha256: hash, bytes: content.length },
    records: run.summary.records,
    amounts: run.summary.amounts,
    targets: [{ id: 'out', delivered: { records: run.summary.records.valid, amounts: run.summary.amounts } }],
    chunks: [{ ...run.chunk, segments: segments.map(({ sha256, bytes }) => ({ sha256, bytes })) }],
    batches: [{ id: batchId, sha256: body, bytes: run.output.length }],
    times: { acceptedAt: at, startedAt: at, closedAt: at },
  });
  const closed = [
    [batchId, 'batch.acknowledged'],
    [jobId, 'job.completed'],
  ] as [string, string][];
  await database.query(close, [attemptId, batchId, jobId, receipt, signReceipt(Buffer.from(receipt), signingKey), ...eventColumns(closed)]);
}

function eventColumns(events: readonly [string, string][]): [string[], string[], string[]] {
  return [events.map(() => ids.next()), events.map(([objectId]) => objectId), events.map(([, type]) => type)];
}
