import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DeliveryRow, deliveryLine, deliveryPlan, type SealedJob, sealJobs } from '../../../../test/support/delivery-files.ts';
import { temporaryFolder, temporaryStore } from '../../../../test/support/temporary-store.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { addAmounts } from '../../engine/amount-totals.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import type { Exclusion } from '../../engine/file/duplicates.ts';
import { targetPlan } from '../../engine/plans.fixture.ts';
import { bytesOfSpans, type NewBatch } from '../batch.ts';
import { prepareBatches } from './batch-cutter.ts';
import { bodyPieces, hashBigBody } from './body-hash.ts';
import type { BigBody } from './cut-input.ts';
import { memberRecords, readOutcomes } from './routed-records.ts';
import { SegmentReaders } from './segment-readers.ts';

const row = fc.record({
  customer: fc.integer({ min: 0, max: 9 }).map((number) => `c${number}`),
  amount: fc.integer({ min: 0, max: 100_000 }),
  currency: fc.constantFrom('EUR', 'USD'),
  letters: fc.constantFrom('a', 'b', 'ab', '-', 'a', 'ab'),
});
const file = fc.record({
  rows: fc.array(row, { minLength: 0, maxLength: 60 }),
  chunkLines: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 3 }),
  /** Which rows are taken out. */
  excluded: fc.array(fc.nat(59), { maxLength: 8 }),
});
const limits = fc.record({
  batchRecords: fc.integer({ min: 1, max: 20 }),
  batchBytes: fc.constantFrom(200, 1_000, 1_000_000),
  order: fc.constantFrom('none', 'file', 'by-key'),
  rollUp: fc.boolean(),
} as const);

/** The order of a job's records in a batch follows its members. */
function recordsOf(batch: NewBatch, jobs: readonly SealedJob[], target: number, readers: SegmentReaders): string[] {
  return batch.members.flatMap((member) => {
    const chunk = jobs.find(({ jobId }) => jobId === member.jobId)!.chunks[member.chunkNumber]!;
    const outcomes = readOutcomes(readers.open(chunk.outcomes.object), member.outcomes.start, member.outcomes.end);
    return [...memberRecords(outcomes, target, member)].map(({ record }) => `${member.jobId} ${record}`);
  });
}

it('batches partition the routed records without the excluded ones, their amounts add up, and lanes keep the order', async () => {
  const root = temporaryFolder();
  await fc.assert(
    fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 3 }), limits, limits, async (files, first, second) => {
      const { store, ids, tenantId } = temporaryStore(root);
      const plan = deliveryPlan(
        [first, second].map(({ rollUp, ...more }, index) =>
          targetPlan(`t${index}`, { format: 'ndjson' }, { ...more, settings: { rollUp } }),
        ),
      );
      const rows = files.map(({ rows: own }) => own.map((one, index): DeliveryRow => ({ ...one, id: `r${index + 1}` })));
      const sealed = sealJobs(
        { store, ids, tenantId },
        plan,
        rows.map((own, index) => ({ lines: own.map(deliveryLine), chunkLines: files[index]!.chunkLines, acceptedNumber: 7 + index })),
      );
      const jobs = sealed.map((job, index) => ({ ...job, exclusions: exclusionsOf(rows[index]!, files[index]!.excluded) }));
      const input = { tenantId, flowId: ids.next(), flowVersionId: ids.next(), plan, traceParent: null, actor: 'system', jobs };
      const { batches } = await prepareBatches(input, { store, ports: systemPorts });
      const readers = new SegmentReaders(store, tenantId);
      const objects = new Map(sealed[0]!.segments.map(({ segmentId, object }) => [segmentId, object]));
      for (const target of [0, 1]) {
        const own = batches.filter(({ targetId }) => targetId === `t${target}`);
        const expected = rows.map((list, index) => routedTo(list, target, files[index]!.excluded));
        const seen = own.flatMap((batch) => recordsOf(batch, sealed, target, readers));
        expect([...seen].sort()).toEqual(
          expected.flatMap((list, index) => list.map((one) => `${sealed[index]!.jobId} ${one.record}`)).sort(),
        );
        expect(amountsOf(own.flatMap(({ members }) => members.map(({ amounts }) => amounts)))).toEqual(totalOf(expected.flat()));
        const { order, batchRecords, batchBytes, rollUp } = [first, second][target]!;
        const lastByCustomer = new Map<string, number>();
        for (const batch of own) {
          const body = Buffer.concat([...bodyPieces(batch.spans, (segmentId) => readers.open(objects.get(segmentId)!))]);
          const records = recordsOf(batch, sealed, target, readers);
          const lines = body
            .toString()
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line) as { id: string });
          const lineRows = records.map(
            (record) => rows[sealed.findIndex(({ jobId }) => record.startsWith(jobId))]![Number(record.split(' ')[1]) - 1]!,
          );
          expect(lines.map(({ id }) => id)).toEqual(lineRows.map(({ id }) => id));
          expect([batch.records, batch.bytes]).toEqual([lines.length, body.length]);
          expect(batch.bodySha256).toBe(createHash('sha256').update(body).digest('hex'));
          expect(batch.records).toBeLessThanOrEqual(batchRecords);
          if (batch.records > 1) expect(batch.bytes).toBeLessThanOrEqual(batchBytes);
          if (!rollUp) expect(new Set(batch.members.map(({ jobId }) => jobId)).size).toBe(1);
          expect(batch.lane).toBe(order === 'none' ? -1 : order === 'file' ? 0 : batch.lane);
          for (const [at, one] of lineRows.entries()) {
            const place = batch.orderNumber * 1_000 + at;
            const key = order === 'by-key' ? one.customer : 'all';
            if (order === 'by-key') {
              expect(laneOf.get(one.customer) ?? batch.lane).toBe(batch.lane);
              laneOf.set(one.customer, batch.lane);
            }
            expect(place).toBeGreaterThan(lastByCustomer.get(key) ?? -1);
            lastByCustomer.set(key, place);
          }
        }
        expect(new Set(own.map(({ orderNumber }) => orderNumber)).size).toBe(own.length);
      }
      readers.close();
    }),
    { numRuns: 60 },
  );
});

const laneOf = new Map<string, number>();

function exclusionsOf(rows: readonly DeliveryRow[], excluded: readonly number[]): Exclusion[] {
  return [...new Set(excluded)]
    .filter((index) => index < rows.length && rows[index]!.letters !== '-')
    .map((index) => ({
      record: index + 1,
      offset: 0,
      code: 'E_DUPLICATE_KEY',
      field: 'id',
      targets: ['a', 'b'].flatMap((letter, target) => (rows[index]!.letters.includes(letter) ? [target] : [])),
      amounts: totalOf([rows[index]!]),
    }));
}

function routedTo(rows: readonly DeliveryRow[], target: number, excluded: readonly number[]) {
  return rows
    .map((one, index) => ({ ...one, record: index + 1 }))
    .filter((one) => one.letters.includes('ab'[target]!) && !excluded.includes(one.record - 1));
}

function totalOf(rows: readonly DeliveryRow[]): FieldAmounts {
  const byCurrency: Record<string, string> = {};
  for (const { currency, amount } of rows) byCurrency[currency] = String(Number(byCurrency[currency] ?? 0) + amount);
  return withoutZeros({ amount: { scale: 2, unreadable: 0, byCurrency } });
}

function amountsOf(amounts: readonly FieldAmounts[]): FieldAmounts {
  return withoutZeros(amounts.reduce((sum, one) => addAmounts(sum, one), { amount: { scale: 2, unreadable: 0, byCurrency: {} } }));
}

function withoutZeros({ amount }: FieldAmounts): FieldAmounts {
  const byCurrency = Object.fromEntries(
    Object.entries(amount!.byCurrency)
      .filter(([, sum]) => sum !== '0')
      .sort(),
  );
  return { amount: { ...amount!, byCurrency } };
}

it('a file of more batches than a call takes arguments is cut into all of them', async () => {
  const { store, ids, tenantId } = temporaryStore(temporaryFolder());
  const records = 150_000;
  const plan = deliveryPlan([targetPlan('single', { format: 'ndjson' }, { batchRecords: 1 })]);
  const lines = Array.from({ length: records }, (_, at) =>
    deliveryLine({ id: `r${at}`, customer: 'c', amount: 1, currency: 'EUR', letters: 'a' }),
  );
  const jobs = sealJobs({ store, ids, tenantId }, plan, [{ lines, acceptedNumber: 1 }]).map((job) => ({ ...job, exclusions: [] }));
  const input = { tenantId, flowId: ids.next(), flowVersionId: ids.next(), plan, traceParent: null, actor: 'system', jobs };
  const { pages } = await prepareBatches(input, { store, ports: systemPorts });
  const batches: NewBatch[] = [];
  for await (const page of pages!({} as TenantTx)) for (const batch of page) batches.push(batch);
  expect(batches).toHaveLength(records);
  expect(new Set(batches.map(({ orderNumber }) => orderNumber)).size).toBe(records);
});

it('what is taken out of a file is looked at a few times, however many batches the file is cut into', async () => {
  const { store, ids, tenantId } = temporaryStore(temporaryFolder());
  const records = 2_000;
  const plan = deliveryPlan([targetPlan('single', { format: 'ndjson' }, { batchRecords: 1 })]);
  const lines = Array.from({ length: records }, (_, at) =>
    deliveryLine({ id: `r${at}`, customer: 'c', amount: 1, currency: 'EUR', letters: 'a' }),
  );
  let looks = 0;
  const exclusions = Array.from({ length: records / 2 }, (_, at): Exclusion => {
    const amounts = { amount: { scale: 2, unreadable: 0, byCurrency: { EUR: '1' } } };
    const others = { offset: 0, code: 'E_DUPLICATE_RECORD', field: 'id', targets: [0], amounts };
    return Object.defineProperty({ ...others, record: 0 }, 'record', { get: () => ++looks && 2 * at + 1 });
  });
  const chunkLines = [500, 500, 500, 500];
  const jobs = sealJobs({ store, ids, tenantId }, plan, [{ lines, chunkLines, acceptedNumber: 1 }]).map((job) => ({ ...job, exclusions }));
  const input = { tenantId, flowId: ids.next(), flowVersionId: ids.next(), plan, traceParent: null, actor: 'system', jobs };
  const { batches } = await prepareBatches(input, { store, ports: systemPorts });
  expect(batches.map(({ members }) => members[0]!.firstRecord)).toEqual(exclusions.map((_, at) => 2 * at + 2));
  expect(looks).toBeLessThan(100 * exclusions.length);
});

it('big bodies are hashed by whoever is given for it, and only those, with the same outcome', async () => {
  const { store, ids, tenantId } = temporaryStore(temporaryFolder());
  const plan = deliveryPlan([
    targetPlan('big', { format: 'ndjson' }, { batchRecords: 100_000, batchBytes: 9_000_000 }),
    targetPlan('small', { format: 'ndjson' }, { batchRecords: 100_000, batchBytes: 1_000_000 }),
  ]);
  const lines = Array.from({ length: 1_200 }, (_, at) =>
    deliveryLine({ id: `r${at}`, customer: `${at}`.padStart(10_000, 'c'), amount: 1, currency: 'EUR', letters: 'ab' }),
  );
  const jobs = sealJobs({ store, ids, tenantId }, plan, [{ lines, acceptedNumber: 1 }]).map((job) => ({ ...job, exclusions: [] }));
  const input = { tenantId, flowId: ids.next(), flowVersionId: ids.next(), plan, traceParent: null, actor: 'system', jobs };
  const here = await prepareBatches(input, { store, ports: systemPorts });
  const hashed: number[] = [];
  const hashBody = async (body: BigBody) => {
    hashed.push(bytesOfSpans(body.spans));
    return hashBigBody(store, body);
  };
  const apart = await prepareBatches(input, { store, ports: systemPorts, bigBodies: { size: 2, hashBody } });
  expect(apart.batches.map((batch) => [batch.targetId, batch.bodySha256])).toEqual(
    here.batches.map((batch) => [batch.targetId, batch.bodySha256]),
  );
  expect(hashed).toEqual(here.batches.filter(({ targetId, bytes }) => targetId === 'big' && bytes > 8_388_608).map(({ bytes }) => bytes));
  expect(hashed).toHaveLength(1);
  expect(here.batches.length).toBeGreaterThan(10);
});
