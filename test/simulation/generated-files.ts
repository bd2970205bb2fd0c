/**
 * The files that a soak sends, made from a seed, with what a fault-free bank would find in them: how many records are valid,
 * and which must be found at which target. This knowledge is the generator's own and owes nothing to the product.
 */
import { createHash } from 'node:crypto';
import type { SeededRandom } from './seeded-random.ts';
import { type FlowName, flowsOf, flowTenants, type TargetName, type Tenant } from './soak-flows.ts';

export interface RecordCounts {
  readonly read: number;
  readonly valid: number;
  readonly rejected: number;
  readonly filtered: number;
}

export interface GeneratedFile {
  readonly number: number;
  readonly tenant: Tenant;
  readonly flow: FlowName;
  readonly name: string;
  readonly content: Buffer;
  readonly sha256: string;
  readonly counts: RecordCounts;
  /** Ids of the records that must be at each target that the flow routes to, in order of the file. */
  readonly delivered: Readonly<Partial<Record<TargetName, readonly string[]>>>;
  /** Ids of those that the target refuses. */
  readonly refused: Readonly<Partial<Record<TargetName, readonly string[]>>>;
  /** By record id, where several records have the same key and targets keep its order. */
  readonly keys: ReadonlyMap<string, string>;
}

type Fate = 'valid' | 'rejected' | 'filtered';

interface GeneratedRecord {
  readonly id: string;
  /** Of transfers and notices alone. */
  readonly account: string;
  /** As it stands in the file. */
  readonly amount: string;
  readonly currency: string;
  readonly note: string;
  readonly fate: Fate;
  readonly isLarge: boolean;
}

const currencies = ['ZAR', 'USD', 'EUR', 'GBP'];
/** Small files have one chunk; big ones several of the soak's small chunks. */
const smallRecords = { min: 3, max: 40 };
const bigRecords = { min: 200, max: 500 };
/** Of all files together, and of one: each key is a lane of its own, and most lanes have batches of several files. */
const accountsCount = 12;
const fileAccountsMax = 3;

/** What is sent; every flow of the usual soak, where it says nothing. */
export interface Traffic {
  readonly flows?: readonly FlowName[];
  /** No record of any file is rejected, filtered or refused. */
  readonly isClean?: boolean;
}

/** Of one of the flows, most of them small, half of them clean. */
export function generateFile(number: number, random: SeededRandom, traffic: Traffic = {}): GeneratedFile {
  const flow = drawFlow(random, traffic.flows ?? flowsOf('usual'));
  const accounts = hasAccounts(flow) ? drawAccounts(random) : [''];
  const range = flow === 'statements' ? bigRecords : flow === 'notices' ? { ...smallRecords, max: 12 } : smallRecords;
  const letter = flow[0]!.toUpperCase();
  const isClean = random.isTrue(0.5) || traffic.isClean === true;
  const records: GeneratedRecord[] = [];
  const length = random.between(range.min, range.max);
  for (let at = 0; at < length; at++) {
    records.push(makeRecord(`${letter}${pad(number, 6)}-${pad(at, 4)}`, flow, random, { isClean, accounts }));
  }
  // The same record again: of equal keys the first one counts.
  const first = records.find(({ fate }) => fate === 'valid');
  if (first && !isClean && !hasAccounts(flow) && random.isTrue(0.15)) records.push({ ...first, fate: 'rejected' });
  const content = Buffer.from(render(flow, records));
  const extension = flow === 'payments' || flow === 'transfers' ? 'csv' : flow === 'notices' ? 'ndjson' : 'txt';
  return {
    number,
    tenant: flowTenants[flow],
    flow,
    name: `${flow}-${pad(number, 6)}.${extension}`,
    content,
    sha256: createHash('sha256').update(content).digest('hex'),
    counts: countRecords(records),
    ...routeRecords(flow, records),
    keys: new Map(hasAccounts(flow) ? records.map(({ id, account }) => [id, account]) : []),
  };
}

/** The account is the key there; elsewhere the id is. */
function hasAccounts(flow: FlowName): boolean {
  return flow === 'transfers' || flow === 'notices';
}

function drawFlow(random: SeededRandom, flows: readonly FlowName[]): FlowName {
  if (flows.includes('transfers') && random.isTrue(0.25)) return 'transfers';
  const drawn = random.isTrue(0.6) ? 'payments' : random.isTrue(0.75) ? 'notices' : 'statements';
  return flows.includes(drawn) ? drawn : random.pick(flows);
}

function drawAccounts(random: SeededRandom): string[] {
  return Array.from({ length: random.between(1, fileAccountsMax) }, () => `A${pad(random.between(1, accountsCount), 2)}`);
}

interface RecordChoices {
  readonly isClean: boolean;
  readonly accounts: readonly string[];
}

function makeRecord(id: string, flow: FlowName, random: SeededRandom, { isClean, accounts }: RecordChoices): GeneratedRecord {
  const isLarge = random.isTrue(0.3);
  const record = {
    id,
    account: accounts.length > 1 ? random.pick(accounts) : accounts[0]!,
    amount: `${isLarge ? random.between(5_000, 90_000) : random.between(1, 4_999)}.${pad(random.between(0, 99), 2)}`,
    currency: random.pick(currencies),
    note: random.isTrue(0.5) ? '' : random.isTrue(0.1) ? 'say "so", please' : 'plain',
    fate: 'valid' as Fate,
    isLarge,
  };
  const draw = random.fraction();
  if (isClean) return record;
  if (draw < 0.02) return { ...record, amount: '12,50', fate: 'rejected' };
  if (draw < 0.04) return { ...record, currency: 'ZZZ', fate: 'rejected' };
  if (draw < 0.05) return { ...record, id: `${id}x`, fate: 'rejected' };
  if (draw < 0.06 && flow !== 'statements') return { ...record, amount: '0.00', fate: 'rejected' };
  if (draw < 0.08 && flow === 'payments') return { ...record, note: 'skip', fate: 'filtered' };
  // With a key of its own: a target that keeps the order of keys takes no later record of a key of which it refused one.
  if (draw < 0.1 && flow === 'notices') return { ...record, note: 'refuse', account: id };
  if (draw < 0.1 && flow === 'statements') return { ...record, note: 'refuse' };
  return record;
}

function render(flow: FlowName, records: readonly GeneratedRecord[]): string {
  switch (flow) {
    case 'payments':
      return renderTable(['id', 'amount', 'currency', 'note'], records);
    case 'transfers':
      return renderTable(['id', 'account', 'amount', 'currency', 'note'], records);
    case 'notices':
      return records
        .map(
          ({ id, account, amount, currency, note }) =>
            `${JSON.stringify({ id, account, amount, currency, ...(note === '' ? {} : { note }) })}\n`,
        )
        .join('');
    case 'statements': {
      const quoted = (text: string) => (/[";]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      return records.map(({ id, amount, currency, note }) => `${[id, amount, currency, note].map(quoted).join(';')}\n`).join('');
    }
  }
}

function renderTable(columns: readonly ('id' | 'account' | 'amount' | 'currency' | 'note')[], records: readonly GeneratedRecord[]): string {
  const quoted = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = records.map((record) => columns.map((column) => quoted(record[column])).join(','));
  return `${[columns.join(','), ...lines].join('\r\n')}\r\n`;
}

function countRecords(records: readonly GeneratedRecord[]): RecordCounts {
  const count = (wanted: Fate) => records.filter(({ fate }) => fate === wanted).length;
  return { read: records.length, valid: count('valid'), rejected: count('rejected'), filtered: count('filtered') };
}

function routeRecords(flow: FlowName, records: readonly GeneratedRecord[]): Pick<GeneratedFile, 'delivered' | 'refused'> {
  const valid = records.filter(({ fate }) => fate === 'valid');
  const idsOf = (wanted: (record: GeneratedRecord) => boolean) => valid.filter(wanted).map(({ id }) => id);
  const isRefused = ({ note }: GeneratedRecord) => note === 'refuse';
  switch (flow) {
    case 'payments':
      return { delivered: { archive: idsOf(() => true), feed: idsOf((r) => r.isLarge), booking: idsOf((r) => !r.isLarge) }, refused: {} };
    case 'notices':
      return {
        delivered: { outbox: idsOf(() => true), alerts: idsOf((r) => r.isLarge && !isRefused(r)) },
        refused: { alerts: idsOf((r) => r.isLarge && isRefused(r)) },
      };
    case 'transfers': {
      const [all, large, small] = [idsOf(() => true), idsOf(({ isLarge }) => isLarge), idsOf(({ isLarge }) => !isLarge)];
      // Each is a file of its own in one lane: not every input makes one.
      const huge = idsOf(({ amount }) => Number(amount) >= 80_000);
      return { delivered: { kafka: all, rabbitmq: all, mariadb: all, http: large, sftp: huge, postgres: small }, refused: {} };
    }
    case 'statements':
      return { delivered: { vault: idsOf(() => true), journal: idsOf((r) => !isRefused(r)) }, refused: { journal: idsOf(isRefused) } };
  }
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, '0');
}
