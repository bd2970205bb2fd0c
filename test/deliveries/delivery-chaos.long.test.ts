/**
 * Any mix of answers, losses, lost leases, settings at fault and decisions of a person, over random files: what the ledger counts,
 * what the sink's own journal holds, in which order, and what was labelled must agree.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decideHeldBatch } from '../../src/pipeline/deliveries/held/held-batches.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, type Scenario } from '../support/delivery-scenario.ts';
import { type SinkAnswer, type SinkBehaviour, startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const behaviour = fc.constantFrom('taken', 'taken', 'busy', 'refused', 'lost', 'lost before', 'late', 'some', 'some', 'gateway', 'locked');

const chaos = fc.record({
  records: fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 3 }),
  mode: fc.constantFrom('batch', 'single'),
  order: fc.constantFrom('none', 'file', 'by-key', 'by-key'),
  batchRecords: fc.integer({ min: 1, max: 8 }),
  onUnknown: fc.constantFrom('resend', 'hold'),
  behaviours: fc.array(behaviour, { minLength: 1, maxLength: 25 }),
  /** Of records, in turn, where the service takes some. */
  statuses: fc.array(fc.constantFrom(200, 200, 422, 503, 504, 401), { minLength: 1, maxLength: 7 }),
  /** Not `delivered`, which would have to be true. */
  decisions: fc.array(fc.constantFrom('resend', 'discard'), { minLength: 1, maxLength: 8 }),
  expireAfter: fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 2 }),
});
type Chaos = typeof chaos extends fc.Arbitrary<infer T> ? T : never;

interface Stored {
  readonly id: string;
  readonly isLabelled: boolean;
}

/** Refuses a record when its sender's lease is lost, and takes it from the next one. */
const refusedUnheard: Chaos = {
  records: [2],
  mode: 'single',
  order: 'file',
  batchRecords: 2,
  onUnknown: 'resend',
  behaviours: ['refused', 'taken'],
  statuses: [200],
  decisions: ['resend'],
  expireAfter: [1],
};

const idOf = (file: number, record: number) => `f${file}r${record}`;

/** The key of a record, and where it stands among all of the key. With `order: file` all have one. */
function placeOf(id: string, order: string): { readonly key: number; readonly at: number } {
  const [, file, record] = /^f(\d+)r(\d+)$/.exec(id)!;
  return { key: order === 'file' ? 0 : (Number(record) - 1) % 4, at: Number(file) * 1_000 + Number(record) };
}

/** A service that keeps an order takes nothing behind what it did not take. */
function statusesOf(ids: readonly string[], number: number, { order, statuses }: Chaos): number[] {
  const stopped = new Set<number>();
  return ids.map((id, index) => {
    const { key } = placeOf(id, order);
    if (stopped.has(key)) return 503;
    const status = statuses[(index + number) % statuses.length]!;
    if (status !== 200 && order !== 'none') stopped.add(key);
    return status;
  });
}

/** What the service knows of itself. */
interface Journal {
  readonly stored: Stored[];
  readonly refused: Set<string>;
}

/** Answers as the run says, and writes into the journal what it took and refused. */
function behaviourOf(run: Chaos, { stored, refused }: Journal, expireLeases: () => Promise<void>): SinkBehaviour {
  return async ({ body, headers }, number): Promise<SinkAnswer> => {
    const ids = body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { id: string }).id);
    const store = (taken: readonly string[]) => {
      for (const id of taken) stored.push({ id, isLabelled: headers['headgate-possible-duplicate'] === 'true' });
    };
    if (run.expireAfter.includes(number)) await expireLeases();
    switch (run.behaviours[number - 1] ?? 'taken') {
      case 'taken':
        store(ids);
        return {};
      case 'locked':
        return { status: 401 };
      case 'busy':
        return { status: 503 };
      case 'refused':
        for (const id of ids) refused.add(id);
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
        const statuses = statusesOf(ids, number, run);
        for (const [index, id] of ids.entries()) if (statuses[index] === 422) refused.add(id);
        // What a gateway gave up on has arrived, or has not.
        store(ids.filter((_, index) => statuses[index] === 200 || (statuses[index] === 504 && (index + number) % 2 === 0)));
        if (run.mode === 'single') return { status: statuses[0]! };
        return {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ results: statuses.map((status, index) => ({ index, status })) }),
        };
      }
    }
  };
}

/** Not of rows that others change just now: whoever waits for a worker may keep it waiting too. */
async function touchWork(scenario: Scenario, which: string, change: string): Promise<void> {
  await scenario.rows(
    `/* touch */ with chosen as materialized (select w.work_id from headgate.work_items w where w.tenant_id = $1 and ${which} for update skip locked)
     update headgate.work_items w set ${change} from chosen c where w.tenant_id = $1 and w.work_id = c.work_id`,
  );
}

/** Decides about every batch that is held, in turn, and lets what waits for a quarter of an hour or more be due. */
function startPerson(scenario: Scenario, decisions: Chaos['decisions']): { leave(): Promise<void> } {
  const { store, queue, tenantId, plan } = scenario;
  const services = { db: database.db, store, queue, ports: systemPorts, loadPlan: async () => plan };
  let isGone = false;
  let decided = 0;
  const work = async () => {
    while (!isGone) {
      await touchWork(scenario, "w.lease_until is null and w.due_at > headgate.clock() + interval '1 minute'", 'due_at = headgate.clock()');
      for (const { batchId } of (await scenario.batches()).filter(({ state }) => state === 'held')) {
        const request = { batchId, decision: decisions[decided++ % decisions.length]!, reason: 'asked', actor: 'anna' };
        await decideHeldBatch(services, tenantId, request).catch((error: { code?: string }) => {
          if (error.code !== 'E_BATCH_STATE') throw error;
        });
      }
      await systemPorts.sleep.sleep(15);
    }
  };
  const working = work();
  return {
    leave: () => {
      isGone = true;
      return working;
    },
  };
}

const planOf = ({ batchRecords, order, onUnknown, mode }: Chaos) =>
  deliveryPlan([
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
        onUnknown,
        retry: { max: 30, initialMs: 2, capMs: 10 },
        // Opens often, and is soon tried again.
        breaker: { windowMs: 1_000, failureRatio: 0.5, minCalls: 3, probeEveryMs: 10, probes: 2 },
        settings: { mode, requestsInFlight: 2 },
      },
    ),
  ]);

it('every record has one outcome, the sink holds what is called delivered, and what it holds twice was labelled', async () => {
  await fc.assert(
    fc.asyncProperty(chaos, async (run) => {
      const { records, order, mode, batchRecords } = run;
      const sink = await startHttpSink();
      const stored: Stored[] = [];
      const refused = new Set<string>();
      const scenario = await createDeliveryScenario({
        database,
        plan: planOf(run),
        bindings: { api: bindingOf('http', { baseUrl: sink.url }) },
      });
      sink.answer(behaviourOf(run, { stored, refused }, () => touchWork(scenario, 'w.lease_until is not null', 'lease_until = null')));
      const jobs = await scenario.deliverJobs(
        records.map((count, file) => ({
          lines: Array.from({ length: count }, (_, index) =>
            deliveryLine({ id: idOf(file, index + 1), customer: `c${index % 4}`, amount: 100, currency: 'EUR', letters: 'a' }),
          ),
        })),
      );
      scenario.startWorker();
      scenario.startWorker();
      const person = startPerson(scenario, run.decisions);
      await scenario.allEnded(jobs);
      await person.leave();
      await scenario.stopWorkers();
      await sink.close();

      const all = records.flatMap((count, file) => Array.from({ length: count }, (_, index) => idOf(file, index + 1)));
      const [counts] = await scenario.counts();
      expect(Number(counts!.delivered) + Number(counts!.refused) + Number(counts!.dead)).toBe(all.length);
      const rows = await scenario.rows<{ job_id: string; record_number: number; delivery_key: string; cause: string }>(
        '/* letters */ select job_id, record_number, delivery_key, cause from headgate.dead_letters where tenant_id = $1',
      );
      const letters = rows.map(({ job_id, record_number, delivery_key, cause }) => {
        const id = idOf(
          jobs.findIndex(({ jobId }) => jobId === job_id),
          record_number,
        );
        return { id, cause, deliveryKey: delivery_key, ...placeOf(id, order) };
      });
      const given = new Set(letters.map(({ id }) => id));
      expect(given.size).toBe(Number(counts!.refused) + Number(counts!.dead));
      expect(new Set(letters.map(({ deliveryKey }) => deliveryKey)).size).toBe(given.size);

      // Delivered: in the journal at least once. Given up as refused: it may have arrived only with an attempt nobody knew of.
      const journal = Map.groupBy(stored, ({ id }) => id);
      expect(all.filter((id) => !given.has(id) && !journal.has(id))).toEqual([]);
      expect([...journal].filter(([, copies]) => !copies.slice(1).every(({ isLabelled }) => isLabelled))).toEqual([]);
      if (order !== 'none') {
        // What was refused, with an answer that nobody got, and is taken when it is sent again came behind what was sent meanwhile.
        const isSecondThought = (id: string, [first]: readonly Stored[]) => refused.has(id) && first!.isLabelled;
        const kept = [...journal].filter(([id, copies]) => !isSecondThought(id, copies));
        const firsts = kept.map(([id]) => ({ id, ...placeOf(id, order) }));
        for (const own of Map.groupBy(firsts, ({ key }) => key).values())
          expect(own.map(({ id }) => id)).toEqual(own.toSorted((a, b) => a.at - b.at).map(({ id }) => id));
      }
      if (order === 'by-key' && mode === 'single') {
        // Nothing of a key ever arrived behind a record that was given up. What a person gives up blocks nothing.
        const blocking = letters.filter(({ cause }) => cause !== 'blocked' && cause !== 'operator');
        for (const { id } of stored) {
          const own = placeOf(id, order);
          expect([id, blocking.filter(({ key, at }) => key === own.key && at < own.at)]).toEqual([id, []]);
        }
      }

      const attempts = await scenario.attempts();
      const unknown = attempts.filter(({ outcome }) => outcome === 'unknown');
      expect(unknown.filter(({ resolvedAs }) => resolvedAs === null)).toEqual([]);
      const duplicates = [...journal.values()].reduce((sum, copies) => sum + copies.length - 1, 0);
      expect(duplicates).toBeLessThanOrEqual(unknown.length * batchRecords);
      expect(attempts.filter(({ outcome }) => outcome === null)).toEqual([]);
    }),
    { numRuns: 12, examples: [[refusedUnheard]] },
  );
}, 240_000);
