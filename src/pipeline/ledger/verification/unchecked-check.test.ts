import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ExportedFixture, exportedJob, fixtureKey, resealed, withPart } from '../../../../test/support/exported-job.ts';
import { fixturePlan } from '../../../../test/support/verified-flow.ts';
import { type BatchEntry, encodeBatchEntry } from '../batch-list.ts';
import { sourceOf } from '../export/export-entries.ts';
import { chunkFiles } from '../export/export-layout.ts';
import type { Receipt } from '../receipt.ts';
import { parseTrustFile, printTrustFile } from '../trust-file.ts';
import type { VerificationReport } from './verification-report.ts';
import { verifyExport } from './verify-export.ts';

const trust = parseTrustFile(printTrustFile([fixtureKey]));
const none = { records: 0, amounts: {} };
const noBatches = { sha256: createHash('sha256').digest('hex'), bytes: 0, count: 0 };
const decided = {
  kind: 'reject',
  reason: 'sent by mistake',
  actor: 'key:ops',
  eventId: '01900000-0000-7000-8000-0000000000ee',
  at: '2026-01-31T08:00:01.500Z',
} as const;

function verify(files: ReadonlyMap<string, Buffer>): VerificationReport {
  const reader = { names: () => [...files.keys()], open: (name: string) => sourceOf(files.get(name)!) };
  return verifyExport({ reader, trust, container: null, compile: (definition) => fixturePlan(definition) });
}

const codesOf = (files: ReadonlyMap<string, Buffer>) => [...new Set(verify(files).failures.map(({ code }) => code))].sort();

/** The job as it would be had a person rejected it when only these of its chunks had been run. */
function uncheckedJob(chunks: readonly number[] = []): ExportedFixture {
  const job = exportedJob();
  expect(job.receipt.chunks.length).toBeGreaterThan(3);
  const receipt: Receipt = {
    ...job.receipt,
    job: { ...job.receipt.job, state: 'rejected', verdict: 'rejected', checked: false, decision: decided },
    records: { read: 0, valid: 0, rejected: 0, filtered: 0 },
    warned: 0,
    excluded: 0,
    amounts: { read: {}, valid: {}, rejected: {}, filtered: {} },
    reasons: [],
    errors: [],
    warnings: [],
    exclusions: null,
    controlTotals: { declared: {}, computed: {}, balanced: null },
    targets: job.receipt.targets.map(({ id }) => ({ id, routed: none, delivered: none, refused: none, dead: none, cancelled: none })),
    batches: noBatches,
    chunks: job.receipt.chunks.filter(({ number }) => chunks.includes(number)),
  };
  const gone = job.receipt.chunks.filter(({ number }) => !chunks.includes(number)).map(({ number }) => chunkFiles(number).outcomes);
  const folders = gone.map((name) => name.slice(0, name.lastIndexOf('/')));
  const kept = [...job.files].filter(([name]) => name !== 'exclusions.ndjson' && !folders.some((folder) => name.startsWith(`${folder}/`)));
  const files = resealed({ ...job, receipt, files: new Map(kept) }, { files: new Map([['batches.ndjson', Buffer.alloc(0)]]) });
  return { ...job, receipt, files };
}

const lying = (job: ExportedFixture, change: Partial<Receipt>) => codesOf(resealed(job, { receipt: { ...job.receipt, ...change } }));
const lyingJob = (job: ExportedFixture, change: Partial<Receipt['job']>) => lying(job, { job: { ...job.receipt.job, ...change } });

describe('the receipt of a job that was ended before its file was checked', () => {
  test.each([[[]], [[0]], [[1, 3]], [[0, 1, 2, 3]]])('is sound with chunks %j run, and says whose decision it was', (chunks) => {
    const report = verify(uncheckedJob(chunks).files);
    expect(report.failures).toEqual([]);
    expect(report.notes[0]).toContain('by key:ops at 2026-01-31T08:00:01.500Z, event 01900000-0000-7000-8000-0000000000ee');
    expect(report.notes[0]).toContain('sent by mistake');
    expect(report.notes[1]).toContain(`The file holds 12 records; ${chunks.length} chunks`);
  });

  test('says that it states, and nobody can recompute, that nothing was sent', () => {
    expect(verify(uncheckedJob().files).notes[1]).toContain('stated, not recomputed');
  });

  test.each<[string, Partial<Receipt['job']>]>([
    ['nobody decided', { decision: null }],
    ['a person cancelled it', { decision: { ...decided, kind: 'cancel' } }],
    ['a person released it', { decision: { ...decided, kind: 'release' } }],
    ['it was completed', { state: 'completed', verdict: 'accepted' }],
    ['it was accepted and yet rejected', { verdict: 'accepted' }],
    ['the decision came before the file', { decision: { ...decided, at: '2026-01-31T07:59:59.999Z' } }],
    ['the decision came after the job was closed', { decision: { ...decided, at: '2026-01-31T08:00:02.001Z' } }],
  ])('is not sound when it says that %s', (_what, change) => {
    expect(lyingJob(uncheckedJob([0]), change)).toContain('E_VERIFY_VERDICT');
  });

  test.each<[string, Partial<Receipt['job']>]>([
    ['no reason', { decision: { ...decided, reason: ' ' } }],
    ['no actor', { decision: { ...decided, actor: '' } }],
    ['no event', { decision: { ...decided, eventId: '' } }],
  ])('is no receipt with %s', (_what, change) => {
    expect(lyingJob(uncheckedJob(), change)).toContain('E_RECEIPT_FORMAT');
  });

  test('is not sound when it counts, routes or delivers anything', () => {
    const job = uncheckedJob();
    const one = { records: 1, amounts: {} };
    const [first, ...others] = job.receipt.targets;
    for (const change of [
      { records: { read: 1, valid: 0, rejected: 1, filtered: 0 } },
      { records: { read: 1, valid: 1, rejected: 0, filtered: 0 }, targets: [{ ...first!, routed: one, cancelled: one }, ...others] },
      { records: { read: 1, valid: 1, rejected: 0, filtered: 0 }, targets: [{ ...first!, routed: one, delivered: one }, ...others] },
      { warned: 1 },
      { excluded: 1 },
      { reasons: exportedJob({ lines: ['H,20260131'] }).receipt.reasons },
      { errors: exportedJob().receipt.errors },
      { amounts: exportedJob().receipt.amounts },
    ])
      expect(lying(job, change)).toContain('E_VERIFY_RECORDS');
  });

  test('is not sound with a batch', () => {
    const delivered = exportedJob();
    const [entry] = delivered.files
      .get('batches.ndjson')!
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as BatchEntry);
    const job = uncheckedJob([0, 1, 2, 3]);
    const list = Buffer.from(encodeBatchEntry(entry!));
    const named = { ...job, receipt: { ...job.receipt, batches: { ...job.receipt.batches, count: 1 } } };
    expect(codesOf(withPart(named, 'batches.ndjson', list))).toContain('E_VERIFY_RECORDS');
    expect(codesOf(resealed(job, { files: new Map([['batches.ndjson', list]]) }))).toContain('E_VERIFY_BATCHES');
  });

  test('shows what had been made of the file: a chunk that is hidden, moved or changed is found', () => {
    const job = uncheckedJob([0, 2]);
    const [first, second] = job.receipt.chunks;
    expect(lying(job, { chunks: [first!] })).toContain('E_VERIFY_LAYOUT');
    expect(lying(job, { chunks: [second!, first!] })).toContain('E_VERIFY_CHUNKS');
    expect(lying(job, { chunks: [first!, { ...second!, firstRecord: second!.firstRecord + 1 }] })).toContain('E_VERIFY_CHUNKS');
    expect(lying(job, { chunks: [first!, { ...second!, end: second!.end - 1 }] }).length).toBeGreaterThan(0);
    const name = [...job.files.keys()].find((each) => each.includes('target-'))!;
    const output = Buffer.from(job.files.get(name)!);
    output[0]! ^= 1;
    expect(codesOf(withPart(job, name, output))).toContain('E_VERIFY_OUTPUT');
  });

  test('is about the file that it names', () => {
    expect(codesOf(resealed(uncheckedJob(), { files: new Map([['member.bin', Buffer.from('another')]]) }))).toEqual(['E_VERIFY_FILE']);
  });
});

describe('a job that delivered', () => {
  test('cannot pass for one that was ended before its check while anything of it is left in the export', () => {
    const job = exportedJob();
    const empty = uncheckedJob().receipt;
    const [list, parts] = [
      codesOf(resealed(job, { receipt: empty })),
      codesOf(resealed(job, { receipt: { ...empty, chunks: job.receipt.chunks } })),
    ];
    expect(list).toEqual(expect.arrayContaining(['E_VERIFY_BATCHES', 'E_VERIFY_LAYOUT']));
    expect(parts).toEqual(expect.arrayContaining(['E_VERIFY_BATCHES', 'E_VERIFY_LAYOUT']));
    expect(lyingJob(job, { checked: false, state: 'rejected', verdict: 'rejected', decision: decided })).toContain('E_VERIFY_RECORDS');
  });

  test('and was checked cannot state nothing of its file', () => {
    const job = uncheckedJob();
    expect(lyingJob(job, { checked: true })).toEqual(expect.arrayContaining(['E_VERIFY_CHUNKS']));
    expect(lyingJob(uncheckedJob([0, 1, 2, 3]), { checked: true })).toEqual(
      expect.arrayContaining(['E_VERIFY_RECORDS', 'E_VERIFY_TARGET']),
    );
  });

  test('cannot pass for one that was rejected after its check while it names its batches', () => {
    const job = exportedJob();
    expect(lyingJob(job, { state: 'rejected', verdict: 'rejected', decision: decided })).toEqual(['E_VERIFY_VERDICT']);
    const cancelled = { ...decided, kind: 'cancel' } as const;
    expect(lyingJob(job, { state: 'cancelled', verdict: 'cancelled', decision: cancelled })).toEqual(['E_VERIFY_VERDICT']);
  });

  test('cannot count records as cancelled that nobody cancelled', () => {
    const job = exportedJob();
    const moved = job.receipt.targets.map((target) => ({ ...target, dead: none, cancelled: target.dead }));
    expect(lying(job, { targets: moved })).toEqual(expect.arrayContaining(['E_VERIFY_TARGET', 'E_VERIFY_VERDICT']));
  });
});
