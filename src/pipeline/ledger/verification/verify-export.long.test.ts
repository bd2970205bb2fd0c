import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ExportedFixture, exportedJob, fixtureKey, listedAgain, resealed, withPart } from '../../../../test/support/exported-job.ts';
import { codesOf, verified } from '../../../../test/support/verified-export.ts';
import { fixtureLines, fixturePlan } from '../../../../test/support/verified-flow.ts';
import { redrivePlan } from '../../engine/redrive-plan.ts';
import { randomFile } from '../../engine/reference/random-files.fixture.ts';
import { type BatchEntry, encodeBatchEntry } from '../batch-list.ts';
import type { Receipt } from '../receipt.ts';

/** The same search in every build; a number of runs in the environment searches anew. */
const runs = process.env['HEADGATE_DIFFERENTIAL_RUNS'];
const searched = runs === undefined ? { numRuns: 150, seed: 1 } : { numRuns: Number(runs) };

describe('an export', () => {
  test('of a job as it was is sound, and every check looked at something', () => {
    const job = exportedJob();
    expect(job.receipt.records).toEqual({ read: 12, valid: 6, rejected: 5, filtered: 1 });
    expect(job.receipt.excluded).toBe(2);
    const report = verified(job.files);
    expect(report.failures).toEqual([]);
    expect(report).toMatchObject({ isSound: true, kid: fixtureKey.kid, jobId: job.receipt.job.id });
    expect(report.checks.every(({ compared, failed }) => compared > 0 && failed === 0)).toBe(true);
    expect(report.checks.length).toBeGreaterThan(18);
  });

  test.each([1, 30, 100, 100_000])('is sound however the file was cut into chunks (%i bytes)', (chunkBytes) => {
    expect(verified(exportedJob({ chunkBytes }).files).failures).toEqual([]);
  });

  test('is sound for random flows and files', () => {
    fc.assert(
      fc.property(randomFile, fc.constantFrom(1, 40, 1_000_000), ({ plan, bytes }, chunkBytes) => {
        const job = exportedJob({ flow: { plan, member: bytes }, chunkBytes });
        expect(verified(job.files, plan).failures).toEqual([]);
      }),
      searched,
    );
  });

  test('with a chunk that was run in parts is sound', () => {
    const job = exportedJob({ isJoined: true });
    expect(job.receipt.chunks).toHaveLength(1);
    expect(verified(job.files).failures).toEqual([]);
  });

  test('with a record that ended a worker is sound, and says that it takes that on trust', () => {
    const job = exportedJob({ poisonLine: 2, decision: 'released by a person' });
    expect(job.receipt.errors.map(({ code }) => code)).toContain('E_POISON');
    const report = verified(job.files);
    expect(report.failures).toEqual([]);
    expect(report.notes[0]).toMatch(/^1 records are rejected because they ended a worker/);
  });

  test('whose batches were shared with other jobs is sound, and says that only a part was recomputed', () => {
    const job = exportedJob();
    const entries = job.files
      .get('batches.ndjson')!
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as BatchEntry);
    const shared = entries.map((entry, at) => (at === 0 ? { ...entry, body: { sha256: '0'.repeat(64), bytes: entry.bytes + 10 } } : entry));
    const report = verified(withPart(job, 'batches.ndjson', Buffer.from(shared.map(encodeBatchEntry).join(''))));
    expect(report.failures).toEqual([]);
    expect(report.notes.some((note) => note.startsWith('1 batches were shared'))).toBe(true);
  });

  test('of a file that has more rejected money, without signs, than its flow accepts is sound, and says so in its reasons', () => {
    const plan = fixturePlan(Buffer.from('{"kind":"FlowDefinition"}'));
    // -1.00 by a rule, 7.00 and 3.00 for the keys of others.
    const reasonsFor = (limit: string, isJoined: boolean) => {
      const limited = { ...plan, acceptance: { ...plan.acceptance, maxInvalidAmount: { ZAR: limit } } };
      const member = Buffer.from(fixtureLines.map((line) => `${line}\n`).join(''));
      const job = exportedJob({ flow: { plan: limited, member }, whenHeld: 'release', isJoined });
      expect(verified(job.files, limited).failures).toEqual([]);
      expect(job.receipt.amounts.rejected['amount']!.byCurrency['ZAR']).toBe('900');
      expect(Object.keys(job.receipt.amounts)).toEqual(Object.keys(exportedJob().receipt.amounts));
      return job.receipt.reasons.map(({ code, message }) => `${code} ${message}`);
    };
    for (const isJoined of [false, true]) {
      expect(reasonsFor('10.99', isJoined)).toEqual(['E_ACCEPTANCE the invalid ZAR of field "amount" are more than 10.99']);
      expect(reasonsFor('11.00', isJoined)).toEqual([]);
    }
  });

  test('of a file that a person rejected is sound, its records cancelled', () => {
    const job = exportedJob({ lines: fixtureLines.map((line) => (line.startsWith('T') ? 'T,99,1.00' : line)) });
    expect(job.receipt.reasons.map(({ code }) => code)).toEqual(['CTL01']);
    expect(job.receipt.targets[1]!.cancelled.records).toBe(6);
    expect(verified(job.files).failures).toEqual([]);
  });

  test('of a file without trailer, cut in the middle of a record, or with broken quotes is sound when it says so', () => {
    for (const lines of [
      fixtureLines.slice(0, -1),
      [...fixtureLines.slice(0, 5), 'D,p5,"1'],
      [...fixtureLines.slice(0, 3), 'D,p5,a"b,ZAR,', ...fixtureLines.slice(3)],
    ]) {
      const job = exportedJob({ lines });
      expect(verified(job.files).failures).toEqual([]);
    }
  });

  test('with any byte of any part changed is not sound', () => {
    const job = exportedJob();
    for (const [name, bytes] of job.files) {
      for (let at = 0; at < bytes.length; at += bytes.length > 400 ? 23 : 7) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << (at % 8);
        expect(verified(new Map(job.files).set(name, changed)).isSound, `${name} at ${at}`).toBe(false);
      }
    }
  });

  test('with a part cut, extended, missing or added is not sound', () => {
    const job = exportedJob();
    for (const [name, bytes] of job.files) {
      expect(verified(new Map(job.files).set(name, bytes.subarray(0, -1))).isSound, `${name} cut`).toBe(false);
      expect(verified(new Map(job.files).set(name, Buffer.concat([bytes, Buffer.from('\n')]))).isSound, `${name} extended`).toBe(false);
      const without = new Map(job.files);
      without.delete(name);
      expect(verified(without).isSound, `${name} missing`).toBe(false);
    }
    expect(codesOf(verified(new Map(job.files).set('extra.bin', Buffer.from('x'))))).toEqual(['E_VERIFY_LAYOUT']);
  });

  test('signed with a key that is not trusted is not sound, and says that only', () => {
    const job = exportedJob();
    const [header, , signature] = job.files.get('receipt.jws')!.toString().split('.');
    const foreign = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(header!, 'base64url').toString()), kid: 'x' })).toString(
      'base64url',
    );
    const report = verified(listedAgain(new Map(job.files).set('receipt.jws', Buffer.from(`${foreign}..${signature}`))));
    expect(codesOf(report)).toEqual(['E_RECEIPT_KEY']);
    expect(report.kid).toBe(null);
  });
});

/** Every number and text of a receipt, by path. */
function* leaves(value: unknown, path: string[] = []): Generator<string[]> {
  if (typeof value === 'object' && value !== null) for (const [name, inner] of Object.entries(value)) yield* leaves(inner, [...path, name]);
  else yield path;
}

function changed(receipt: Receipt, path: readonly string[]): Receipt {
  const copy = structuredClone(receipt);
  let at = copy as unknown as Record<string, unknown>;
  for (const name of path.slice(0, -1)) at = at[name] as Record<string, unknown>;
  const value = at[path.at(-1)!];
  at[path.at(-1)!] =
    typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : typeof value === 'string' ? other(value) : 'x';
  return copy;
}

function other(text: string): string {
  if (/^-?[0-9]+$/.test(text)) return String(BigInt(text) + 1n);
  if (uuid.test(text)) return text.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  if (instant.test(text))
    return text.replace(/\.(\d{3})Z$/, (_, millis: string) => `.${String((Number(millis) + 1) % 1000).padStart(3, '0')}Z`);
  return /^[0-9a-f]{64}$/.test(text) ? text.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) : `${text}x`;
}

const uuid = /^[0-9a-f]{8}-/;
const instant = /^\d{4}-\d{2}-\d{2}T/;

/** The same records, sent again to one of the targets on the word of a person. */
function redrivenJob(): ExportedFixture {
  const definition = Buffer.from('{"kind":"FlowDefinition"}');
  const lines = fixtureLines.filter((line) => !line.startsWith('T'));
  const member = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const job = exportedJob({ flow: { plan: redrivePlan(fixturePlan(definition), ['archive']), member, definition } });
  const redrive = {
    id: '01900000-0000-7000-8000-00000000000a',
    ofJobId: '01900000-0000-7000-8000-00000000000b',
    targets: ['archive'],
    records: job.receipt.records.read,
    repair: { amount: "record.amount.replace(',', '.')" },
    possibleDuplicate: false,
    reason: 'accounts moved',
    actor: 'key:ops',
  };
  const receipt = { ...job.receipt, job: { ...job.receipt.job, lineageId: redrive.ofJobId, redrive } };
  return { ...job, receipt, files: resealed(job, { receipt }) };
}

/** What a receipt states and nobody can recompute. */
const statedOnly =
  /^(cell|region|tenant\.id|job\.(id|lineageId|decision\.(reason|actor|eventId|at)|redrive\.(id|ofJobId|repair|reason|actor))|environment|versions|times|file\.(member|container)\.name)(\.|$)/;

describe('a receipt that lies, signed with the right key', () => {
  test.each([
    ['', exportedJob],
    [', of records that were sent again', redrivenJob],
  ])('is found out wherever it says something that can be recomputed%s', (_what, made) => {
    const job = made();
    expect(verified(job.files).failures).toEqual([]);
    const unnoticed = [...leaves(job.receipt)].filter((path) => verified(resealed(job, { receipt: changed(job.receipt, path) })).isSound);
    expect(unnoticed.map((path) => path.join('.')).filter((path) => !statedOnly.test(path))).toEqual([]);
  });

  test('of records that were sent again says which and how in a note, and names nothing that the flow has not', () => {
    const job = redrivenJob();
    const { notes } = verified(job.files);
    const { redrive } = job.receipt.job;
    expect(notes[0]).toContain(
      `The job sends 12 records of job ${redrive!.ofJobId} again, to archive, repaired in amount; none had arrived before`,
    );
    expect(notes[0]).toContain('by key:ops, reason: accounts moved. That is stated, not recomputed');
    expect(notes.at(-1)).toContain('what was sent again, and how repaired');
    const of = (change: object) => {
      const own = { ...job.receipt.job, redrive: { ...redrive!, ...change } };
      return verified(resealed(job, { receipt: { ...job.receipt, job: own } }));
    };
    const other = of({ targets: null, repair: null, possibleDuplicate: true });
    expect(other.notes[0]).toContain('wherever the flow leads them, as they were; some may have arrived before');
    expect(codesOf(of({ possibleDuplicate: true }))).toEqual(['E_VERIFY_BATCHES']);
    for (const change of [{ repair: { balance: '1' } }, { targets: ['archive', 'nowhere'] }])
      expect(codesOf(of(change))).toEqual(['E_VERIFY_FLOW']);
    expect(codesOf(of({ targets: ['ledger'] }))).toContain('E_VERIFY_OUTCOME');
    expect(codesOf(of({ records: 3 }))).toEqual(['E_VERIFY_RECORDS']);
  });

  test('whose amounts and counts were moved from one stage to another, in balance, is found out', () => {
    const job = exportedJob();
    const moved = structuredClone(job.receipt) as { records: { valid: number; filtered: number } };
    moved.records.valid -= 1;
    moved.records.filtered += 1;
    expect(codesOf(verified(resealed(job, { receipt: moved as Receipt })))).toContain('E_VERIFY_RECORDS');
    const [ledger, ...others] = job.receipt.targets;
    const lost = { ...ledger!, delivered: { records: 0, amounts: {} }, cancelled: ledger!.delivered };
    expect(codesOf(verified(resealed(job, { receipt: { ...job.receipt, targets: [lost, ...others] } })))).toContain('E_VERIFY_TARGET');
  });

  test('that backs an outcome, a finding or an output that the flow does not give is found out', () => {
    const job = exportedJob();
    const flip = (name: string, at: number) => {
      const bytes = Buffer.from(job.files.get(name)!);
      bytes[at < 0 ? bytes.length + at : at]! ^= 1;
      return codesOf(verified(withPart(job, name, bytes)));
    };
    expect(flip('chunks/000000/target-1.bin', 0)).toEqual(expect.arrayContaining(['E_VERIFY_BATCHES', 'E_VERIFY_OUTPUT']));
    const outcomes = job.files.get('chunks/000000/outcomes.bin')!;
    expect(flip('chunks/000000/outcomes.bin', 12 + outcomes.readUInt32LE(8))).toContain('E_VERIFY_OUTCOME');
    const rejections = [...job.files.keys()].find((name) => name.endsWith('rejections.ndjson'))!;
    const renamed = Buffer.from(
      job.files
        .get(rejections)!
        .toString()
        .replace(/"code":"[A-Z0-9_]+"/, '"code":"E_OTHER"'),
    );
    expect(codesOf(verified(withPart(job, rejections, renamed)))).toContain('E_VERIFY_REJECTIONS');
    expect(codesOf(verified(withPart(job, 'exclusions.ndjson', Buffer.from('{"record":2,"code":"E_DUPLICATE_KEY"}\n'))))).toContain(
      'E_VERIFY_EXCLUSIONS',
    );
  });

  test('about another raw file is found out', () => {
    const job = exportedJob();
    const member = Buffer.from(job.files.get('member.bin')!.toString().replace('10.00', '19.00'));
    expect(codesOf(verified(withPart(job, 'member.bin', member)))).toEqual(expect.arrayContaining(['E_VERIFY_AMOUNTS', 'E_VERIFY_OUTPUT']));
  });

  test('about another flow is found out', () => {
    const job = exportedJob();
    expect(codesOf(verified(resealed(job, { files: new Map([['flow.yaml', Buffer.from('{"kind":"Other"}')]]) })))).toEqual([
      'E_VERIFY_FLOW',
    ]);
    const flow = { ...job.receipt.flow, hash: `sha256:${'0'.repeat(64)}` };
    expect(codesOf(verified(resealed(job, { receipt: { ...job.receipt, flow } })))).toEqual(['E_VERIFY_FLOW']);
  });
});

describe('batches', () => {
  const entriesOf = (job: ExportedFixture) =>
    job.files
      .get('batches.ndjson')!
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as BatchEntry);
  const withBatches = (change: (entries: BatchEntry[]) => BatchEntry[]) => {
    const job = exportedJob();
    const entries = change(entriesOf(job));
    const changedJob = { ...job, receipt: { ...job.receipt, batches: { ...job.receipt.batches, count: entries.length } } };
    return codesOf(verified(withPart(changedJob, 'batches.ndjson', Buffer.from(entries.map(encodeBatchEntry).join('')))));
  };

  test.each<[string, (entries: BatchEntry[]) => BatchEntry[]]>([
    ['one is missing', (entries) => entries.slice(1)],
    ['one occurs twice', (entries) => [...entries, entries[0]!]],
    ['two hold the same lines', (entries) => [...entries, { ...entries[0]!, id: '01900000-0000-7000-8000-000000999999' }]],
    [
      'one holds half a line',
      ([first, ...rest]) => [{ ...first!, ranges: first!.ranges.map((range) => ({ ...range, end: range.end - 1 })) }, ...rest],
    ],
    ['one has another hash', ([first, ...rest]) => [{ ...first!, sha256: '0'.repeat(64) }, ...rest]],
    ['one has another count', ([first, ...rest]) => [{ ...first!, records: first!.records + 1 }, ...rest]],
    ['one has other amounts', ([first, ...rest]) => [{ ...first!, amounts: {} }, ...rest]],
    ['one is for another target', ([first, ...rest]) => [{ ...first!, target: 'archive' }, ...rest]],
    ['one is for no target', ([first, ...rest]) => [{ ...first!, target: 'nowhere' }, ...rest]],
    ['one lies in a chunk that is not there', ([first, ...rest]) => [{ ...first!, ranges: [{ chunk: 99, start: 0, end: 5 }] }, ...rest]],
    ['a child has no parent', (entries) => entries.filter(({ state }) => state !== 'divided')],
    ['a child is missing', (entries) => entries.filter(({ state }) => state !== 'refused')],
    [
      'a divided one says another count',
      (entries) => entries.map((entry) => (entry.state === 'divided' ? { ...entry, records: 3 } : entry)),
    ],
    ['parents go in a circle', (entries) => entries.map((entry) => (entry.state === 'divided' ? { ...entry, parentId: entry.id } : entry))],
  ])('are not sound when %s', (_what, change) => {
    expect(withBatches(change)).toContain('E_VERIFY_BATCHES');
  });

  test('that say another outcome than the receipt are not sound', () => {
    expect(withBatches((entries) => entries.map((entry) => (entry.state === 'dead' ? { ...entry, state: 'delivered' } : entry)))).toContain(
      'E_VERIFY_TARGET',
    );
  });

  test('that are parts of another have its unknown attempts, which count once, and those before the job do not', () => {
    const countOf = (job: ExportedFixture, attempts: (entry: BatchEntry) => number) => {
      const entries = entriesOf(job).map((entry) => ({ ...entry, unknownAttempts: attempts(entry) }));
      const report = verified(withPart(job, 'batches.ndjson', Buffer.from(entries.map(encodeBatchEntry).join(''))));
      expect(report.failures).toEqual([]);
      const note = report.notes.find((each) => each.includes('delivery attempts ended unknown')) ?? '0';
      return Number.parseInt(note, 10);
    };
    const of = ({ parentId, state }: BatchEntry) => (state === 'dead' ? 3 : state === 'divided' || parentId !== null ? 2 : 0);
    const divided = entriesOf(exportedJob()).filter(({ state }) => state === 'divided').length;
    expect(countOf(exportedJob(), of)).toBe(divided * 3);
    const again = redrivenJob();
    const { job } = again.receipt;
    const receipt = { ...again.receipt, job: { ...job, redrive: { ...job.redrive!, possibleDuplicate: true } } };
    expect(countOf({ ...again, receipt }, () => 1)).toBe(0);
  });

  test('are sound as they are', () => {
    expect(withBatches((entries) => entries)).toEqual([]);
  });
});
