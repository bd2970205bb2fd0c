import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ExportedFixture, exportedJob, resealed, withPart } from '../../../../test/support/exported-job.ts';
import { pack } from '../../../../test/support/packed.ts';
import { tarArchive } from '../../../../test/support/tar-archive.ts';
import { codesOf, verified, verifiedWithContainer } from '../../../../test/support/verified-export.ts';
import { fixtureLines, fixturePlan } from '../../../../test/support/verified-flow.ts';
import { zipArchive } from '../../../../test/support/zip-archive.ts';
import { packingNames, type Unpack } from '../../../platform/packing/packings.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../../engine/plans.fixture.ts';
import { type BatchEntry, encodeBatchEntry } from '../batch-list.ts';
import type { Receipt } from '../receipt.ts';

const identityOf = (bytes: Uint8Array) => ({ sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length });

/** Changes a receipt as someone who holds the signing key could; the export is sound before. */
function forged(job: ExportedFixture, change: (receipt: Receipt) => Partial<Receipt>, plan = job.plan): string[] {
  expect(verified(job.files, plan).failures).toEqual([]);
  return codesOf(verified(resealed(job, { receipt: { ...job.receipt, ...change(job.receipt) } }), plan));
}

/** Its trailer is wrong. */
const heldJob = (whenHeld: 'release' | 'reject') => exportedJob({ lines: [...fixtureLines.slice(0, -1), 'T,1,1.00'], whenHeld });

describe.each(packingNames)('the container of a file, packed with %s,', (packing) => {
  const packedWith = pack[packing];
  const job = exportedJob();
  const member = job.files.get('member.bin')!;
  const packed = (container: Buffer): Map<string, Buffer> => {
    const file = { ...job.receipt.file, container: { name: 'payments.csv.gz', ...identityOf(container) }, via: [packing] };
    return resealed(job, { receipt: { ...job.receipt, file }, files: new Map([['container.bin', container]]) });
  };

  test('that unpacks to the file is sound, in several parts too', async () => {
    for (const container of [packedWith(member), Buffer.concat([packedWith(member.subarray(0, 9)), packedWith(member.subarray(9))])])
      expect((await verifiedWithContainer(packed(container))).failures).toEqual([]);
  });

  test.each<[string, Buffer]>([
    ['another file', packedWith(Buffer.from('another'))],
    ['less than the file', packedWith(member.subarray(0, -1))],
    ['more than the file', packedWith(Buffer.concat([member, Buffer.from('D,p99,1.00,ZAR,\n')]))],
    ['the file and bytes behind it', Buffer.concat([packedWith(member), Buffer.from('and more')])],
    ['the file, cut', packedWith(member).subarray(0, -4)],
    ['the file, and the first bytes of another part', Buffer.concat([packedWith(member), packedWith(member).subarray(0, 2)])],
    ['nothing that can be unpacked', Buffer.from('packed')],
    ['nothing', Buffer.alloc(0)],
    ['far more than the file', packedWith(Buffer.alloc(50_000_000))],
  ])('that holds %s is not', async (_what, container) => {
    expect(codesOf(await verifiedWithContainer(packed(container)))).toEqual(['E_VERIFY_FILE']);
  });

  test('that the export lacks, or that nobody unpacked, is not', async () => {
    const files = packed(packedWith(member));
    expect(codesOf(verified(files))).toEqual(['E_VERIFY_FILE']);
    const file = { ...job.receipt.file, container: { name: 'payments.csv.gz', ...identityOf(packedWith(member)) }, via: [packing] };
    const without = resealed(job, { receipt: { ...job.receipt, file } });
    expect(codesOf(await verifiedWithContainer(without))).toEqual(['E_VERIFY_FILE', 'E_VERIFY_LAYOUT']);
  });
});

describe('the archive that a file came in', () => {
  const job = exportedJob();
  const content = job.files.get('member.bin')!;
  const inArchive = (via: Unpack, container: Buffer, name = 'payments.csv'): Map<string, Buffer> => {
    const member = { ...job.receipt.file.member, name };
    const file = { container: { name: 'payments.zip', ...identityOf(container) }, via, member };
    return resealed(job, { receipt: { ...job.receipt, file }, files: new Map([['container.bin', container]]) });
  };
  const other = { name: 'other.csv', content: 'more' };

  const payments = { name: 'payments.csv', content };
  const encrypted = Buffer.concat([Buffer.from([0x84, 0x5e, 3]), Buffer.alloc(2_000)]);

  test.each<[string, Unpack, Buffer]>([
    ['zip', ['zip'], zipArchive([other, payments])],
    ['tar', ['tar'], tarArchive([other, payments])],
    ['zip, behind a bigger file', ['zip'], zipArchive([{ name: 'big.csv', content: 'more\n'.repeat(1_000) }, payments])],
    ['tar packed with gzip', ['gzip', 'tar'], pack.gzip(tarArchive([other, payments]))],
    ['tar packed with zstd', ['zstd', 'tar'], pack.zstd(tarArchive([payments, other]))],
    ['zip, with members that are packed', ['zip', 'gzip'], zipArchive([{ name: 'payments.csv', content: pack.gzip(content) }])],
    ['tar in a tar', ['tar', 'tar'], tarArchive([{ name: 'inner.tar', content: tarArchive([payments]) }])],
  ])('is sound where it holds the file: %s', async (_what, via, container) => {
    const { failures, notes } = await verifiedWithContainer(inArchive(via, container));
    expect([failures, notes.filter((note) => note.startsWith('The container'))]).toEqual([[], []]);
  });

  test.each<[string, Unpack, Buffer, string?]>([
    ['other files', ['zip'], zipArchive([other])],
    ['other files in a packed tar', ['gzip', 'tar'], pack.gzip(tarArchive([other]))],
    ['the file in part', ['zip'], zipArchive([{ name: 'payments.csv', content: content.subarray(1) }])],
    ['the file, and is not sound', ['zip'], zipArchive([payments], { behind: Buffer.from('x') })],
    ['the file before damage', ['tar'], Buffer.concat([tarArchive([payments]), Buffer.from('x')])],
    ['the file by another name', ['zip'], zipArchive([payments]), 'refunds.csv'],
    ['the file, but came by other steps', ['tar'], zipArchive([payments])],
    ['the file, but came by no step', [], zipArchive([payments])],
    ['the file, but came by one step more', ['zip', 'gzip'], zipArchive([payments])],
    ['the file in the clear, and is said to be encrypted', ['pgp'], Buffer.concat([content, content])],
    ['the file in the clear, where members are said to be encrypted', ['zip', 'pgp'], zipArchive([payments])],
  ])('is not where it holds %s', async (_what, via, container, name) => {
    expect(codesOf(await verifiedWithContainer(inArchive(via, container, name)))).toEqual(['E_VERIFY_FILE']);
  });

  test('is not, where the file is its own container, and steps are stated', async () => {
    const file = { ...job.receipt.file, via: ['gzip'] as const };
    expect(codesOf(await verifiedWithContainer(resealed(job, { receipt: { ...job.receipt, file } })))).toEqual(['E_VERIFY_FILE']);
  });

  test.each<[string, Unpack, Buffer]>([
    ['an archive in an archive', ['zip', 'zip'], zipArchive([{ name: 'inner.zip', content: zipArchive([payments]) }])],
    ['an encrypted one', ['pgp', 'zip'], encrypted],
    ['an encrypted one in armor', ['pgp'], Buffer.from('-----BEGIN PGP MESSAGE-----\n\nhF4D\n-----END PGP MESSAGE-----\n')],
    ['an archive of encrypted ones', ['zip', 'pgp'], zipArchive([{ name: 'a.pgp', content: encrypted }])],
  ])('is stated to hold it where it can not be looked into: %s', async (_what, via, container) => {
    const { failures, notes } = await verifiedWithContainer(inArchive(via, container));
    expect(failures).toEqual([]);
    expect(notes.join(' ')).toContain('stated, not recomputed');
  });
});

describe('chunks', () => {
  /** Held for its missing trailer; blank lines before and behind its records belong to chunks as well. */
  const held = () => exportedJob({ lines: ['', ...fixtureLines.slice(0, -1), '', ''], chunkBytes: 100 });
  const withChunk =
    (at: number, change: (chunk: Receipt['chunks'][number]) => Partial<Receipt['chunks'][number]>) => (receipt: Receipt) => ({
      chunks: receipt.chunks.map((chunk, index) =>
        index === (at < 0 ? receipt.chunks.length + at : at) ? { ...chunk, ...change(chunk) } : chunk,
      ),
    });

  test.each<[string, (receipt: Receipt) => Partial<Receipt>]>([
    ['bytes behind the last', withChunk(-1, ({ end }) => ({ end: end - 1 }))],
    ['bytes before the first', withChunk(0, ({ start }) => ({ start: start + 1 }))],
    ['the first byte of a line in the one before', withChunk(0, ({ end }) => ({ end: end + 1 }))],
    ['an end behind that of the file', withChunk(-1, ({ end }) => ({ end: end + 1 }))],
    ['an empty one at the end', ({ chunks }) => ({ chunks: [...chunks, { ...chunks.at(-1)!, start: chunks.at(-1)!.end, number: 9 }] })],
    ['another header row than the file', withChunk(1, () => ({ context: { version: 1, columns: ['a', 'b'] } }))],
  ])('of a held file that leave %s are found out', (_what, change) => {
    expect(forged(held(), change)).toContain('E_VERIFY_CHUNKS');
  });

  test('are told of the header row that the file has', () => {
    const record = recordPlan([fieldPlan('id', 'string', { column: 0, header: 'id' })]);
    const plan = planOf({ format: { ...delimitedFormat, header: true }, records: [record] });
    const job = exportedJob({ flow: { plan, member: Buffer.from('\ufeffid\na\nb\n') }, chunkBytes: 1 });
    expect(job.receipt.chunks.map(({ start, context }) => [start, context.columns])).toEqual([
      [6, ['id']],
      [8, ['id']],
    ]);
    expect(
      forged(
        job,
        withChunk(1, () => ({ context: { version: 1, columns: ['other'] } })),
      ),
    ).toEqual(['E_VERIFY_CHUNKS']);
    expect(
      forged(
        job,
        withChunk(1, () => ({ context: { version: 1, columns: null } })),
      ),
    ).toEqual(['E_VERIFY_CHUNKS']);
  });

  test.each([
    ['E_RECORD_TOO_LONG', 'a record is longer than', ''],
    ['E_QUOTE_OPEN', 'a quote is not closed within', '"'],
  ])('end where a record is longer than the receipt says was allowed (%s)', (code, words, quote) => {
    const lines = [...fixtureLines.slice(0, 6), `D,${quote}${'p'.repeat(2_000)},1.00,ZAR,`, ...fixtureLines.slice(6)];
    const job = exportedJob({ lines, recordBytesMax: 1_500 });
    expect(job.receipt.reasons[0]).toMatchObject({ code, message: `${words} 1500 bytes` });
    const report = verified(job.files);
    expect(report.failures).toEqual([]);
    expect(report.notes[0]).toMatch(/first record of more than 1500 bytes/);
    for (const limit of [2, 1_023, 3_000, 99_000_000]) {
      const reasons = job.receipt.reasons.map((reason, at) => (at === 0 ? { ...reason, message: `${words} ${limit} bytes` } : reason));
      expect(
        forged(job, () => ({ reasons })),
        `${limit}`,
      ).toContain('E_VERIFY_VERDICT');
    }
  });
});

describe('statements', () => {
  const of = (change: (receipt: Receipt) => Partial<Receipt>) => forged(heldJob('release'), change);
  const times = (more: Partial<Receipt['times']>) => (receipt: Receipt) => ({ times: { ...receipt.times, ...more } });

  test("of a tenant that is not the flow's are found out", () => {
    expect(of(({ tenant }) => ({ tenant: { ...tenant, name: 'other' } }))).toEqual(['E_VERIFY_FLOW']);
  });

  test.each<[string, Partial<Receipt['times']>]>([
    ['it was closed before it was accepted', { acceptedAt: '2026-01-31T08:00:03.000Z' }],
    ['it was closed before it was started', { startedAt: '2026-01-31T08:00:02.001Z' }],
    [
      'it was started a moment before it was accepted',
      { acceptedAt: '2026-01-31T08:00:01.0000002Z', startedAt: '2026-01-31T08:00:01.0000001Z' },
    ],
    ['it was accepted at no time', { acceptedAt: '2026-13-31T08:00:00.000Z' }],
  ])('of times are found out when %s', (_what, more) => {
    expect(forged(exportedJob(), times(more))).toEqual(['E_VERIFY_VERDICT']);
  });

  test('of a decision before the job was accepted are found out', () => {
    expect(of(times({ acceptedAt: '2026-01-31T08:00:01.600Z', startedAt: '2026-01-31T08:00:01.600Z' }))).toEqual(['E_VERIFY_VERDICT']);
  });

  test.each<[string, (receipt: Receipt) => Partial<Receipt>]>([
    ['the job', ({ job }) => ({ job: { ...job, id: 'job' } })],
    ['its lineage', ({ job }) => ({ job: { ...job, lineageId: '01900000-0000-4000-8000-000000000002' } })],
    ['the tenant', ({ tenant }) => ({ tenant: { ...tenant, id: '' } })],
    ['the event', ({ job }) => ({ job: { ...job, decision: { ...job.decision!, eventId: '0' } } })],
  ])('whose id of %s is no UUID are refused', (_what, change) => {
    expect(of(change)).toContain('E_RECEIPT_FORMAT');
  });
});

describe('words', () => {
  const job = heldJob('release');
  const reworded = <T extends { readonly message: string }>(all: readonly T[]) =>
    all.map((one, at) => (at === 0 ? { ...one, message: 'other words' } : one));

  test.each<[string, (receipt: Receipt) => Partial<Receipt>, string]>([
    ['errors', ({ errors }) => ({ errors: reworded(errors) }), 'E_VERIFY_REJECTIONS'],
    ['warnings', ({ warnings }) => ({ warnings: reworded(warnings) }), 'E_VERIFY_REJECTIONS'],
    ['reasons', ({ reasons }) => ({ reasons: reworded(reasons) }), 'E_VERIFY_VERDICT'],
    ['reasons, given twice,', ({ reasons }) => ({ reasons: [...reasons, ...reasons] }), 'E_VERIFY_VERDICT'],
  ])('of %s that the flow does not give are found out', (_what, change, code) => {
    expect(forged(job, change)).toEqual([code]);
  });

  test('of a rejected record that the flow does not give are found out, of a poison one too', () => {
    for (const options of [{}, { poisonLine: 2 }]) {
      const job = exportedJob(options);
      const names = [...job.files.keys()].filter((name) => name.endsWith('rejections.ndjson'));
      for (const name of names) {
        const text = job.files.get(name)!.toString();
        const changed = text.replace(/"message":"[^"]*"/, '"message":"pay 1000 to me"');
        expect(codesOf(verified(withPart(job, name, Buffer.from(changed)))), text).toEqual(['E_VERIFY_REJECTIONS']);
      }
      expect(names.length).toBeGreaterThan(1);
    }
  });

  test('for more findings than are told apart are counted by code', () => {
    const names = Array.from({ length: 950 }, (_, column) => `f${column}`);
    const fields = names.map((name, column) => fieldPlan(name, column % 2 === 0 ? 'int' : 'date', { column, header: null }));
    const plan = planOf({ format: delimitedFormat, records: [recordPlan(fields)] });
    const job = exportedJob({ flow: { plan, member: Buffer.from(`${names.join(',')}\n`) } });
    expect(job.receipt.errors.length).toBeGreaterThan(900);
    const as = (code: string) => (receipt: Receipt) => ({
      errors: receipt.errors.map((group, at) => (at === 1 ? { ...group, code } : group)),
    });
    expect(forged(job, as('E_INT'))).toEqual(['E_VERIFY_REJECTIONS']);
  });
});

describe('decisions', () => {
  const decision = {
    reason: 'known to the sender',
    actor: 'key:ops',
    eventId: '01900000-0000-7000-8000-0000000000ee',
    at: '2026-01-31T08:00:01.500Z',
  } as const;
  const decided =
    (kind: 'release' | 'reject' | 'cancel') =>
    ({ job }: Receipt) => ({ job: { ...job, decision: { ...decision, kind } } });

  test('to release or reject a file that nobody had to decide about are found out', () => {
    for (const kind of ['release', 'reject'] as const) expect(forged(exportedJob(), decided(kind))).toEqual(['E_VERIFY_VERDICT']);
  });

  test('that a held file needed cannot be left out or turned round', () => {
    for (const whenHeld of ['release', 'reject'] as const) {
      const job = heldJob(whenHeld);
      expect(forged(job, (receipt) => ({ job: { ...receipt.job, decision: null } }))).toEqual(['E_VERIFY_VERDICT']);
      expect(forged(job, decided(whenHeld === 'release' ? 'reject' : 'release'))).toEqual(['E_VERIFY_VERDICT']);
    }
  });

  test('to cancel a job that the flow had rejected are found out', () => {
    const definition = Buffer.from('{"kind":"FlowDefinition"}');
    const plan = fixturePlan(definition);
    const strict = { ...plan, acceptance: { ...plan.acceptance, maxInvalid: 1, onExceed: 'reject' as const } };
    const member = exportedJob().files.get('member.bin')!;
    const job = exportedJob({ flow: { plan: strict, member, definition } });
    expect(job.receipt.job).toMatchObject({ state: 'rejected', decision: null });
    const cancelled = (receipt: Receipt) => ({
      job: {
        ...receipt.job,
        state: 'cancelled' as const,
        verdict: 'cancelled' as const,
        decision: { ...decision, kind: 'cancel' as const },
      },
    });
    expect(forged(job, cancelled, strict)).toEqual(['E_VERIFY_VERDICT']);
  });

  test.each<[string, readonly string[]]>([
    ['could not be read to its end', [...fixtureLines.slice(0, 6), `D,${'p'.repeat(2_000)},1.00,ZAR,`, ...fixtureLines.slice(6)]],
    ['has records behind its trailer', [...fixtureLines, 'D,p99,1.00,ZAR,']],
  ])('to release a file that %s are found out', (_what, lines) => {
    const report = verified(exportedJob({ lines, recordBytesMax: 1_500, whenHeld: 'release' }).files);
    expect(codesOf(report)).toEqual(['E_VERIFY_VERDICT']);
    expect(verified(exportedJob({ lines, recordBytesMax: 1_500, whenHeld: 'reject' }).files).failures).toEqual([]);
  });

  test('of a person about a held file are sound', () => {
    expect(verified(heldJob('release').files).failures).toEqual([]);
    expect(verified(heldJob('reject').files).failures).toEqual([]);
  });
});

describe('the list of batches', () => {
  const definition = Buffer.from('{"kind":"FlowDefinition"}');
  const plan = fixturePlan(definition);
  const apart = { ...plan, targets: plan.targets.map((target) => ({ ...target, settings: { rollUp: false } })) };
  const job = exportedJob({ flow: { plan: apart, member: exportedJob().files.get('member.bin')!, definition } });
  const entries = job.files
    .get('batches.ndjson')!
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BatchEntry);
  const empty = { ...entries[0]!, ...identityOf(Buffer.alloc(0)), body: identityOf(Buffer.alloc(0)), ranges: [], records: 0, amounts: {} };
  const id = '01900000-0000-7000-8000-000000999999';
  /** Its bytes would be these, so its hashes can be made to agree. */
  const reversed = (entry: BatchEntry): BatchEntry => {
    const ranges = entry.ranges.toReversed();
    const output = (chunk: number) => job.files.get(`chunks/${String(chunk).padStart(6, '0')}/target-0.bin`)!;
    const sent = identityOf(Buffer.concat(ranges.map(({ chunk, start, end }) => output(chunk).subarray(start, end))));
    return { ...entry, ...sent, body: sent, ranges };
  };
  const split = (entry: BatchEntry, at: number): BatchEntry => {
    const [range] = entry.ranges;
    return { ...entry, ranges: [{ ...range!, end: at }, { ...range!, start: at }, ...entry.ranges.slice(1)] };
  };

  test.each<[string, (first: BatchEntry) => BatchEntry[]]>([
    ['holds nothing', (first) => [first, ...entries.slice(1), { ...empty, id }]],
    ['was refused with nothing in it', (first) => [first, ...entries.slice(1), { ...empty, id, state: 'refused' }]],
    ['has an empty range', (first) => [split(first, first.ranges[0]!.start), ...entries.slice(1)]],
    ['names its lines in another order', (first) => [reversed(first), ...entries.slice(1)]],
    ['has no UUID', (first) => [{ ...first, id: 'batch-1' }, ...entries.slice(1)]],
    ['has a parent without UUID', (first) => [{ ...first, parentId: 'batch-1' }, ...entries.slice(1)]],
    ['stands before one that was made earlier', (first) => [entries[1]!, first, ...entries.slice(2)]],
    [
      'was sent with more than it, to a target that shares none',
      (first) => [{ ...first, body: { ...first.body, bytes: first.bytes + 1 } }, ...entries.slice(1)],
    ],
    ['was sent with less than it', (first) => [{ ...first, body: { ...first.body, bytes: first.bytes - 1 } }, ...entries.slice(1)]],
    ['was sent as other bytes', (first) => [{ ...first, body: { ...first.body, sha256: '0'.repeat(64) } }, ...entries.slice(1)]],
  ])('of which one %s is not sound', (_what, change) => {
    expect(entries[0]!.ranges.length).toBeGreaterThan(1);
    expect(verified(job.files, apart).failures).toEqual([]);
    const changed = change(entries[0]!);
    const receipt = { ...job.receipt, batches: { ...job.receipt.batches, count: changed.length } };
    const files = withPart({ ...job, receipt }, 'batches.ndjson', Buffer.from(changed.map(encodeBatchEntry).join('')));
    expect(codesOf(verified(files, apart))).toContain('E_VERIFY_BATCHES');
  });
});
