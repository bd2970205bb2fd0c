/**
 * The peer of the small-files level: the same work one file at a time, as careful as the product and as lean as such a loop
 * can be. For each file, in order: read it, hash it, split it, run it through the same compiled flow, write its output under a
 * temporary name, fsync it, rename it, fsync the folder, and keep what the product keeps of it (the file, the outcome of
 * every record, rejections, counts, a job, a delivery, an event) in one statement, which is one transaction and one flush of
 * the log. So two fsyncs and one commit for each file, one round trip, no archive files, no signatures, no leases.
 * Usage: LOOP_DATABASE_URL=… node per-file-loop.ts FLOW INPUT-FOLDER OUTPUT-FOLDER; prints {files, seconds} of the loop alone.
 */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { formats } from '../../src/main/catalogue.ts';
import type { ChunkSummary } from '../../src/pipeline/engine/chunk.ts';
import { compileFlow } from '../../src/pipeline/engine/compile-flow.ts';
import { publicHashKey, runChunk } from '../../src/pipeline/engine/run-chunk.ts';
import { encodeRejection } from '../../src/pipeline/ledger/rejection-lines.ts';

const blockBytes = 16 * 1024;
const schema = `
  create table if not exists loop_files (file_id uuid primary key, name text not null, sha256 bytea not null unique, bytes bigint not null,
    content bytea not null, arrived_at timestamptz not null);
  create table if not exists loop_jobs (job_id uuid primary key, file_id uuid not null, read int not null, valid int not null, rejected int not null,
    summary jsonb not null, outcomes bytea not null, rejections bytea not null, closed_at timestamptz not null);
  create table if not exists loop_deliveries (delivery_id uuid primary key, job_id uuid not null, path text not null, records int not null,
    sha256 bytea not null, acknowledged_at timestamptz not null);
  create table if not exists loop_events (event_id uuid primary key, job_id uuid not null, type text not null, at timestamptz not null);`;
const keep = {
  name: 'keep',
  text: `with f as (insert into loop_files values ($1, $2, $3, $4, $5, clock_timestamp())),
    j as (insert into loop_jobs values ($6, $1, $7, $8, $9, $10, $11, $12, clock_timestamp())),
    d as (insert into loop_deliveries values ($13, $6, $14, $8, $15, clock_timestamp()))
    insert into loop_events values ($16, $6, 'job.completed', clock_timestamp())`,
};

const [flowPath, inputFolder, outputFolder] = process.argv.slice(2);
const flow = compileFlow(loadFlow(readFileSync(flowPath!, 'utf8')).plan!);
const format = formats.find(({ name }) => name === flow.plan.format.type)!;
const database = new pg.Client({ connectionString: process.env.LOOP_DATABASE_URL });
await database.connect();
await database.query(schema);
mkdirSync(outputFolder!, { recursive: true });
const folder = openSync(outputFolder!, 'r');
const names = readdirSync(inputFolder!).sort();
const startedAt = performance.now();
for (const name of names) await processFile(name);
const seconds = (performance.now() - startedAt) / 1_000;
await database.end();
process.stdout.write(`${JSON.stringify({ files: names.length, seconds })}\n`);

async function processFile(name: string): Promise<void> {
  const content = readFileSync(join(inputFolder!, name));
  const run = runWholeFile(content);
  const output = Buffer.concat(run.outputs);
  const path = join(outputFolder!, name.replace(/\.csv$/, '.ndjson'));
  writeDurably(path, output);
  const { read, valid, rejected } = run.summary.records;
  await database.query(keep, [
    randomUUID(),
    name,
    sha256(content),
    content.length,
    content,
    randomUUID(),
    read,
    valid,
    rejected,
    JSON.stringify({ ...run.summary, outcomeHash: sha256(run.outcomes).toString('hex') }),
    run.outcomes,
    Buffer.from(run.rejections),
    randomUUID(),
    path,
    sha256(output),
    randomUUID(),
  ]);
}

function runWholeFile(content: Buffer) {
  const splitter = format.createSplitter(flow.plan.format, flow.plan.records, { chunkBytes: 16 * 1024 * 1024 });
  splitter.push(content);
  const [chunk] = splitter.end().chunks;
  const outputs: Buffer[] = [];
  const outcomes: Buffer[] = [];
  let rejections = '';
  const source = {
    size: content.length,
    read: (into: Uint8Array, at: number, length: number, position: number) => {
      const piece = content.subarray(position, position + length);
      into.set(piece, at);
      return piece.length;
    },
  };
  const sinks = {
    targets: [{ write: (bytes: Uint8Array) => void outputs.push(Buffer.from(bytes)) }],
    outcomes: { write: (bytes: Uint8Array) => void outcomes.push(Buffer.from(bytes)) },
    rejected: (finding: Parameters<typeof encodeRejection>[0]) => {
      rejections += encodeRejection(finding);
    },
    warned: () => {},
  };
  const summary: ChunkSummary = runChunk(flow, chunk!, source, sinks, { hashKey: publicHashKey, header: null, blockBytes });
  return { summary, outputs, outcomes: Buffer.concat(outcomes), rejections };
}

function writeDurably(path: string, bytes: Buffer): void {
  const file = openSync(`${path}.part`, 'wx');
  writeSync(file, bytes);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.part`, path);
  fsyncSync(folder);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
