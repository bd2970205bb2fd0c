/**
 * The lean peer of the small-files level: less than the product's work, as little as a loop can do that loses nothing. For each
 * file, in order: read it, hash it, split it, run it through the same compiled flow, write its output under a temporary name,
 * fsync it, rename it, fsync the folder, and keep the file, the outcome of every record, rejections, counts, a job, a delivery
 * and one event in one statement, which is one transaction and one flush of the log. So two fsyncs and one commit for each
 * file, one round trip; no archive, no sealed segments, no signatures, no attempt before the output, no events for each step.
 * Usage: LOOP_DATABASE_URL=… node per-file-loop.ts FLOW INPUT-FOLDER OUTPUT-FOLDER; prints {files, seconds} of the loop alone.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { openFlow, sha256, writeDurably } from './loop-parts.ts';

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
const flow = openFlow(flowPath!);
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
  const run = flow.run(content);
  const { output } = run;
  const path = join(outputFolder!, name.replace(/\.csv$/, '.ndjson'));
  writeDurably(path, output, folder);
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
    run.rejections,
    randomUUID(),
    path,
    sha256(output),
    randomUUID(),
  ]);
}
