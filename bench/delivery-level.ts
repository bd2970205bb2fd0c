/**
 * The delivery level: records a second through each connector, in batches and one by one, against its client library alone
 * doing the same work as durably in the same process; and a file pulled by SFTP against the `sftp` command. What arrived must be
 * the same from both before a time counts. What the machine has no server for is skipped by name.
 */
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compare, type Measured } from './comparison.ts';
import { amqpCase } from './deliveries/amqp-case.ts';
import { blobCase } from './deliveries/blob-case.ts';
import { type BenchBatch, inLanes, makeBatches } from './deliveries/delivery-batches.ts';
import { type CaseMaker, type DeliveryCase, lanes, sendOurs } from './deliveries/delivery-case.ts';
import { fileCase } from './deliveries/file-case.ts';
import { httpCase } from './deliveries/http-case.ts';
import { kafkaCase } from './deliveries/kafka-case.ts';
import { mysqlCase } from './deliveries/mysql-case.ts';
import { postgresCase } from './deliveries/postgres-case.ts';
import { sftpCase } from './deliveries/sftp-case.ts';
import { measureSftpPull } from './deliveries/sftp-pull.ts';

const makers: readonly CaseMaker[] = [kafkaCase, amqpCase, postgresCase, mysqlCase, httpCase, fileCase, sftpCase, blobCase];
const batchRecords = 500;
const verifiedBatches = 8;
const warmPlace = 1_000_000;
const bar = { kind: 'at-least', value: 0.8 } as const;

export async function runDeliveryLevel(context: BenchContext): Promise<BenchRun[]> {
  const runs: BenchRun[] = [];
  for (const maker of makers) {
    const missing = maker.missing();
    if (missing === null) runs.push(...(await measureConnector(context, maker)));
    else context.progress(`delivery by ${maker.connector} is skipped: no ${missing}`);
  }
  context.progress('delivery: a file pulled by SFTP');
  const pull = await measureSftpPull(context);
  if (pull === null) context.progress('the pull by SFTP is skipped: no sshd');
  else runs.push(pull);
  return runs;
}

async function measureConnector(context: BenchContext, maker: CaseMaker): Promise<BenchRun[]> {
  const { connector, sizes } = maker;
  context.progress(`delivery by ${connector}`);
  const subject = await maker.make(context);
  try {
    await assertSameTaken(subject, makeBatches(verifiedBatches, context.isQuick ? 20 : batchRecords));
    await assertSameTaken(subject, makeBatches(verifiedBatches, 1));
    const measure = async (count: number, size: number) =>
      await compare({
        level: 'delivery',
        case: `${connector}, ${size === 1 ? 'one by one' : `batches of ${size}`}`,
        against: subject.against,
        units: count * size,
        pairs: context.isQuick ? 1 : 7,
        bar,
        ours: () => timed(subject, makeBatches(count, size), (batch) => sendOurs(subject, batch)),
        theirs: () => timed(subject, makeBatches(count, size), (batch, lane) => subject.sendBare(batch, lane)),
      });
    if (context.isQuick) return [await measure(4, 50), await measure(20, 1)];
    return [await measure(sizes.batched / batchRecords, batchRecords), await measure(sizes.single, 1)];
  } finally {
    await subject.close();
  }
}

/** Everything that is there after each side had the same batches. It warms both. */
async function assertSameTaken(subject: DeliveryCase, batches: readonly BenchBatch[]): Promise<void> {
  await subject.reset();
  await inLanes(batches, lanes, (batch) => sendOurs(subject, batch));
  const ours = await subject.taken();
  await subject.reset();
  await inLanes(batches, lanes, (batch, lane) => subject.sendBare(batch, lane));
  const theirs = await subject.taken();
  await subject.reset();
  const records = batches.reduce((sum, { batch }) => sum + batch.records, 0);
  if (ours.length < Math.min(records, batches.length) || JSON.stringify(ours) !== JSON.stringify(theirs))
    throw new Error(`what ${subject.connector} delivered differs from what ${subject.against} did`);
}

async function timed(
  subject: DeliveryCase,
  batches: readonly BenchBatch[],
  send: (batch: BenchBatch, lane: number) => Promise<void>,
): Promise<Measured> {
  await subject.reset();
  // Connected, as between batches of a served product.
  await inLanes(makeBatches(lanes, 1, warmPlace), lanes, send);
  const startedAt = performance.now();
  await inLanes(batches, lanes, send);
  return { seconds: (performance.now() - startedAt) / 1_000, rssBytes: process.memoryUsage.rss() };
}
