/**
 * The bookkeeping level: what it costs an engine thread to keep where every record is and what became of it: the hash of its
 * key, the sorted index, the outcome segment, its seal on the disk. It is the difference of a run that keeps them and one
 * with neither a key nor somewhere to write outcomes, in processor time of this process, and the bytes stored. What the kernel itself writes
 * into the columns, seven bytes a record, is in both.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SegmentSet } from '../src/control/jobs/groups/segment-set.ts';
import { type CompiledFlow, compileFlow } from '../src/pipeline/engine/compile-flow.ts';
import type { Plan } from '../src/pipeline/engine/plan.ts';
import { paymentColumns, paymentsPlan } from '../src/pipeline/engine/plans.fixture.ts';
import { publicHashKey, runOpenRange } from '../src/pipeline/engine/run-chunk.ts';
import { memorySource } from '../src/pipeline/engine/runs.fixture.ts';
import type { ByteSink } from '../src/platform/base/byte-source.ts';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import { createKeyRing } from '../src/platform/storage/data-keys.ts';
import { createLocalStore } from '../src/platform/storage/local-store.ts';
import { createSealedStore } from '../src/platform/storage/sealed-store.ts';
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compareWithLimit } from './comparison.ts';
import { paymentsCsv } from './payments-files.ts';

/** Of the served product. */
const chunkBytes = 16 * 1024 * 1024;
const lineFeed = 0x0a;
const recordsOfLimit = 1_000_000;
const limits = { seconds: 0.3, bytes: 30_000_000 } as const;

export function runBookkeepingLevel(context: BenchContext): Promise<BenchRun[]> {
  const rows = context.isQuick ? 20_000 : 1_000_000;
  const pairs = context.isQuick ? 1 : 15;
  context.progress(`bookkeeping of ${rows} records`);
  const bytes = readFileSync(paymentsCsv(context, rows));
  const root = join(context.folder, 'bookkeeping');
  const plan = paymentsPlan('delimited');
  const [kept, unkept] = [compileFlow(plan), compileFlow(withoutKeys(plan))];
  const scale = recordsOfLimit / rows;
  const seconds: number[] = [];
  let storedBytes = 0;
  // The first pairs compile what both run.
  for (let pair = context.isQuick ? 0 : -3; pair < pairs; pair++) {
    const without = secondsOf(() => runAll(unkept, bytes, () => ({ write() {}, end() {} })));
    const segments = newSegments(root);
    const withThem = secondsOf(() => {
      runAll(kept, bytes, () => segments.openPart('outcome'));
      storedBytes = segments.commit().reduce((sum, { object }) => sum + object.storedBytes, 0);
    });
    rmSync(root, { recursive: true, force: true });
    if (pair >= 0) seconds.push((withThem - without) * scale);
  }
  const options = { level: 'bookkeeping', units: recordsOfLimit } as const;
  return Promise.resolve([
    compareWithLimit({
      ...options,
      case: 'processor time of 1,000,000 records',
      against: '0.3 microseconds a record',
      unit: 'seconds',
      limit: limits.seconds,
      values: seconds,
    }),
    compareWithLimit({
      ...options,
      case: 'stored for 1,000,000 records',
      against: '30 bytes a record',
      unit: 'bytes',
      limit: limits.bytes,
      values: [storedBytes * scale],
    }),
  ]);
}

function withoutKeys(plan: Plan): Plan {
  return { ...plan, records: plan.records.map((record) => ({ ...record, key: [] })) };
}

function newSegments(root: string): SegmentSet {
  const { rng, ids } = systemPorts;
  const keyRing = createKeyRing([{ version: 1, bytes: new Uint8Array(rng.bytes(32)) }]);
  const store = createSealedStore({ raw: createLocalStore({ root, rng }), cell: 'local', keyRing, rng });
  return new SegmentSet({ store, tenantId: ids.next(), ids, label: 'bench' });
}

/** The whole file, chunk by chunk; what goes to targets is dropped. */
function runAll(flow: CompiledFlow, bytes: Buffer, openOutcomes: () => ByteSink & { end(): unknown }): void {
  const source = memorySource(bytes);
  const ignore = { write() {} };
  const targets = flow.plan.targets.map(() => ignore);
  let [start, firstRecord] = [bytes.indexOf(lineFeed) + 1, 1];
  for (let number = 0; start < bytes.length; number++) {
    const outcomes = openOutcomes();
    const spec = { number, start, end: bytes.length, firstRecord, context: { version: 1, columns: paymentColumns } } as const;
    const sinks = { targets, outcomes, rejected() {}, warned() {} };
    const run = runOpenRange(flow, spec, source, sinks, { hashKey: publicHashKey, stopAfterBytes: chunkBytes });
    outcomes.end();
    [start, firstRecord] = [run.end, run.nextRecord];
  }
}

function secondsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}
