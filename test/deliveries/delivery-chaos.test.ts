/**
 * Any mix of answers, losses and lost leases, over random files: what the ledger counts, what the sink's own journal holds,
 * and what was labelled must agree.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { targetPlan } from '../../src/pipeline/engine/plan-fixtures.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario } from '../support/delivery-scenario.ts';
import { type SinkAnswer, startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const behaviour = fc.constantFrom('taken', 'taken', 'busy', 'refused', 'lost', 'lost before', 'late', 'some', 'gateway');

const chaos = fc.record({
  records: fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 3 }),
  mode: fc.constantFrom('batch', 'single'),
  order: fc.constantFrom('none', 'file', 'by-key', 'by-key'),
  batchRecords: fc.integer({ min: 1, max: 8 }),
  behaviours: fc.array(behaviour, { minLength: 1, maxLength: 25 }),
  expireAfter: fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 2 }),
});

interface Stored {
  readonly id: string;
  readonly isLabelled: boolean;
}

/** The key of a record, and where it stands among all of the key. */
const placeOf = (file: number, record: number) => ({ key: (record - 1) % 4, at: file * 1_000 + record });

it('every record has one outcome, the sink holds what is called delivered, and what it holds twice was labelled', async () => {
  await fc.assert(
    fc.asyncProperty(chaos, async ({ records, mode, order, batchRecords, behaviours, expireAfter }) => {
      const sink = await startHttpSink();
      const stored: Stored[] = [];
      const plan = deliveryPlan([
        targetPlan(
          'api',
          { format: 'ndjson' },
          {
            type: 'http',
            connection: 'api',
            batchRecords,
            order,
            concurrency: 3,
            timeoutMs: 120,
            retry: { max: 30, initialMs: 2, capMs: 10 },
            // Opens often, and is soon tried again.
            breaker: { windowMs: 1_000, failureRatio: 0.5, minCalls: 3, probeEveryMs: 10, probes: 2 },
            settings: { mode, requestsInFlight: 2 },
          },
        ),
      ]);
      const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
      sink.answer(async ({ body, headers }, number): Promise<SinkAnswer> => {
        const ids = body
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => (JSON.parse(line) as { id: string }).id);
        const store = (taken: readonly string[]) => {
          for (const id of taken) stored.push({ id, isLabelled: headers['headgate-possible-duplicate'] === 'true' });
        };
        if (expireAfter.includes(number)) {
          // In the order in which workers lock them.
          await scenario.rows(
            `/* expire */ with leased as materialized (
               select work_id from headgate.work_items where tenant_id = $1 and lease_until is not null order by work_id for update)
             update headgate.work_items w set lease_until = null from leased l where w.tenant_id = $1 and w.work_id = l.work_id`,
          );
        }
        switch (behaviours[number - 1] ?? 'taken') {
          case 'taken':
            store(ids);
            return {};
          case 'busy':
            return { status: 503 };
          case 'refused':
            return { status: 422 };
          case 'lost':
            store(ids);
            return { isLost: true };
          case 'lost before':
            return { isLost: true };
          case 'late':
            store(ids);
            return { isSilent: true };
          case 'gateway':
            store(ids);
            return { status: 504 };
          case 'some': {
            const statuses = ids.map((_, index) => [200, 422, 503][index % 3]!);
            store(ids.filter((_, index) => statuses[index] === 200));
            if (mode === 'single') return { status: statuses[0]! };
            return {
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify({ results: statuses.map((status, index) => ({ index, status })) }),
            };
          }
        }
      });
      const jobs = await scenario.deliverJobs(
        records.map((count, file) => ({
          lines: Array.from({ length: count }, (_, index) =>
            deliveryLine({ id: `f${file}r${index + 1}`, customer: `c${index % 4}`, amount: 100, currency: 'EUR', letters: 'a' }),
          ),
        })),
      );
      scenario.startWorker();
      scenario.startWorker();
      await scenario.allEnded(jobs);
      await scenario.stopWorkers();
      await sink.close();

      const total = records.reduce((sum, count) => sum + count, 0);
      const [counts] = await scenario.counts();
      expect(Number(counts!.delivered) + Number(counts!.refused) + Number(counts!.dead)).toBe(total);
      const letters = await scenario.rows<{ job_id: string; record_number: number; delivery_key: string; cause: string }>(
        '/* letters */ select job_id, record_number, delivery_key, cause from headgate.dead_letters where tenant_id = $1',
      );
      const fileOf = (jobId: string) => jobs.findIndex((job) => job.jobId === jobId);
      const given = new Set(letters.map(({ job_id, record_number }) => `f${fileOf(job_id)}r${record_number}`));
      expect(given.size).toBe(Number(counts!.refused) + Number(counts!.dead));
      expect(new Set(letters.map(({ delivery_key }) => delivery_key)).size).toBe(given.size);
      // Delivered: in the journal at least once. Given up as refused: it may have arrived only with an attempt nobody knew of.
      const all = records.flatMap((count, file) => Array.from({ length: count }, (_, index) => `f${file}r${index + 1}`));
      const journal = Map.groupBy(stored, ({ id }) => id);
      for (const id of all) if (!given.has(id)) expect([id, journal.get(id)?.length ?? 0]).not.toEqual([id, 0]);
      for (const [id, copies] of journal) expect([id, copies.slice(1).every(({ isLabelled }) => isLabelled)]).toEqual([id, true]);
      if (order === 'by-key' && mode === 'single') {
        // Nothing of a key ever arrived behind a record that was given up.
        const places = letters
          .filter(({ cause }) => cause !== 'blocked')
          .map((letter) => placeOf(fileOf(letter.job_id), letter.record_number));
        for (const { id } of stored) {
          const [, file, record] = /^f(\d+)r(\d+)$/.exec(id)!;
          const own = placeOf(Number(file), Number(record));
          expect([id, places.filter(({ key, at }) => key === own.key && at < own.at)]).toEqual([id, []]);
        }
      }
      const attempts = await scenario.attempts();
      const unknown = attempts.filter(({ outcome }) => outcome === 'unknown');
      expect(unknown.filter(({ resolvedAs }) => resolvedAs === null)).toEqual([]);
      const duplicates = [...journal.values()].reduce((sum, copies) => sum + copies.length - 1, 0);
      expect(duplicates).toBeLessThanOrEqual(unknown.length * batchRecords);
      expect(attempts.filter(({ outcome }) => outcome === null)).toEqual([]);
    }),
    { numRuns: 12 },
  );
}, 120_000);
