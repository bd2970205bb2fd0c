/** Batches as a delivery worker hands them to connectors, of records that are the same in every run. */
import { createHash } from 'node:crypto';
import type { OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';

export interface BenchRecord {
  readonly id: string;
  readonly account: string;
  readonly holder: string;
  readonly amount: string;
  readonly currency: string;
  readonly valueDate: string;
  readonly purpose: string;
}

export interface BenchBatch {
  readonly batch: OutgoingBatch;
  readonly records: readonly BenchRecord[];
  readonly lines: readonly Buffer[];
  readonly keys: readonly string[];
  readonly recordIds: readonly string[];
}

/** The fields of a record in the order of the flow's output, with the types of its schema. */
export const fieldTypes = {
  id: 'string',
  account: 'string',
  holder: 'string',
  amount: 'decimal',
  currency: 'string',
  valueDate: 'date',
  purpose: 'string',
} as const;

/** `from`: place of the first, by which batches are named. */
export function makeBatches(count: number, size: number, from = 0): BenchBatch[] {
  return Array.from({ length: count }, (_, place) => makeBatch(from + place, size));
}

function makeBatch(place: number, size: number): BenchBatch {
  const records = Array.from({ length: size }, (_, index) => recordOf(place * size + index));
  const lines = records.map((record) => Buffer.from(`${JSON.stringify(record)}\n`));
  const body = Buffer.concat(lines);
  const [batchId, jobId] = [systemPorts.ids.next(), systemPorts.ids.next()];
  const keys = records.map(({ id }) => createHash('sha256').update(`${batchId} ${id}`).digest('hex'));
  const recordIds = records.map((_, index) => `${jobId}/${index + 1}`);
  const batch: OutgoingBatch = {
    batchId,
    attempt: 1,
    possibleDuplicate: false,
    isIdSent: false,
    jobIds: [jobId],
    flowName: 'deliveries',
    fileName: 'payments.csv',
    number: `1-${String(place).padStart(4, '0')}`,
    sequence: null,
    part: '',
    amounts: {},
    cutAt: new Date('2026-01-02T03:04:05Z'),
    records: size,
    body: {
      sizeBytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
      preamble: new Uint8Array(0),
      pieces: () => [body],
      lines: () => lines,
    },
    assertOurs() {},
    oursForMs: 60_000,
    secretFor: (purpose) => createHash('sha256').update(`${batchId} ${purpose}`).digest(),
    deliveryKeys: async () => keys,
    recordIds: async () => recordIds,
    orderKeys: null,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  };
  return { batch, records, lines, keys, recordIds };
}

function recordOf(number: number): BenchRecord {
  const digits = String(number).padStart(10, '0');
  return {
    id: `P${digits}`,
    account: `ZA${digits.split('').reverse().join('')}`,
    holder: `Customer ${number % 9_973}`,
    amount: `${number % 100_000}.${String(number % 100).padStart(2, '0')}`,
    currency: ['ZAR', 'EUR', 'USD'][number % 3],
    valueDate: `2026-0${1 + (number % 9)}-${String(1 + (number % 28)).padStart(2, '0')}`,
    purpose: 'Invoice settlement, second instalment',
  };
}

/** So many at a time, each after the one before it in its lane. */
export async function inLanes<Item>(
  items: readonly Item[],
  lanes: number,
  work: (item: Item, lane: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (next < items.length) await work(items[next++], lane);
    }),
  );
}
