/**
 * A small job run by the real engine and closed by hand, with its export in memory: header and trailer, two targets,
 * rejected, filtered, warned and duplicate records, delivered, refused, dead and divided batches.
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { formats } from '../../src/main/catalogue.ts';
import { addAmounts } from '../../src/pipeline/engine/amount-totals.ts';
import type { ChunkSpec, ChunkSummary, EnvelopeRecord, FieldAmounts, Finding } from '../../src/pipeline/engine/chunk.ts';
import { compileFlow } from '../../src/pipeline/engine/compile-flow.ts';
import { checkFile, type FileCheck } from '../../src/pipeline/engine/file/file-checks.ts';
import type { FinishedChunk } from '../../src/pipeline/engine/file/finished-chunks.ts';
import { foldSummaries } from '../../src/pipeline/engine/file/fold-summaries.ts';
import { knownHeader } from '../../src/pipeline/engine/file/known-header.ts';
import { OutcomeSegment } from '../../src/pipeline/engine/outcomes/outcome-segment.ts';
import type { Plan } from '../../src/pipeline/engine/plan.ts';
import { MoneyTotals, summedScales } from '../../src/pipeline/engine/reference/money.ts';
import { ReferenceRun } from '../../src/pipeline/engine/reference/reference-run.ts';
import { publicHashKey, runChunk } from '../../src/pipeline/engine/run-chunk.ts';
import type { SplitterOptions } from '../../src/pipeline/formats/format.ts';
import { type BatchEntry, encodeBatchEntry } from '../../src/pipeline/ledger/batch-list.ts';
import { canonicalJson } from '../../src/pipeline/ledger/canonical-json.ts';
import { composeReceipt, ExclusionGroups, type TargetOutcome } from '../../src/pipeline/ledger/compose-receipt.ts';
import { encodeExclusions } from '../../src/pipeline/ledger/exclusions.ts';
import { exportEntries, sourceOf } from '../../src/pipeline/ledger/export/export-entries.ts';
import type { ChunkReceipt, Receipt } from '../../src/pipeline/ledger/receipt.ts';
import { issueReceipt, signReceipt } from '../../src/pipeline/ledger/receipt-signature.ts';
import { encodeRejection, poisonMessage } from '../../src/pipeline/ledger/rejection-lines.ts';
import { readSigningKey } from '../../src/pipeline/ledger/signing-key.ts';
import { Secret } from '../../src/platform/secrets/secret.ts';
import { fixtureLines, fixturePlan } from './verified-flow.ts';

export const fixtureKey = readSigningKey(
  new Secret(Buffer.from(generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)),
);

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const identityOf = (bytes: Uint8Array) => ({ sha256: hashOf(bytes), bytes: bytes.length });

export interface FixtureOptions {
  /** Another flow, over another raw file. */
  readonly flow?: { readonly plan: Plan; readonly member: Buffer; readonly definition?: Buffer };
  readonly lines?: readonly string[];
  /** Index of the line that ended the worker: what the job did with it is what it does with an unreadable one. */
  readonly poisonLine?: number;
  readonly chunkBytes?: number;
  /** What the tenant's policy allows. */
  readonly recordBytesMax?: number;
  /** All chunks become one that was run in parts. */
  readonly isJoined?: boolean;
  /** What a pack found about the file as a whole. */
  readonly damage?: readonly Finding[];
  /** What a person says who decides about it. */
  readonly decision?: string;
  /** What a person does with it when it is held; rejects it by default. */
  readonly whenHeld?: 'release' | 'reject';
}

export interface ExportedFixture {
  readonly files: Map<string, Buffer>;
  readonly receipt: Receipt;
  readonly plan: Plan;
  readonly definition: Buffer;
}

interface ChunkParts {
  readonly outcomes: Buffer;
  readonly rejections: Buffer;
  readonly outputs: readonly Buffer[];
}

interface FinishedRun {
  readonly chunks: ChunkReceipt[];
  readonly parts: ChunkParts[];
  readonly summary: ChunkSummary;
  readonly check: FileCheck;
  readonly exclusions: { record: number; offset: number; code: string; field: string }[];
}

export function exportedJob(options: FixtureOptions = {}): ExportedFixture {
  const definition = options.flow?.definition ?? Buffer.from('{"kind":"FlowDefinition"}');
  const plan = options.flow?.plan ?? fixturePlan(definition);
  const member = options.flow?.member ?? Buffer.from((options.lines ?? fixtureLines).map((line) => `${line}\n`).join(''));
  const processed = options.poisonLine === undefined ? member : withoutLine(member, options.poisonLine);
  const inParts = runJob(plan, processed, { chunkBytes: options.chunkBytes ?? 60, maxRecordBytes: options.recordBytesMax }, options.damage);
  const run = options.isJoined ? joined(inParts) : inParts;
  const isHeld = run.check.verdict === 'held';
  const isStopped = run.check.verdict === 'rejected' || (isHeld && options.whenHeld !== 'release');
  const entries = isStopped ? [] : cutBatches(plan, processed, run);
  const batches = Buffer.from(entries.map(encodeBatchEntry).join(''));
  const exclusions = run.exclusions.length === 0 ? null : Buffer.from(encodeExclusions(run.exclusions));
  const groups = new ExclusionGroups();
  for (const exclusion of run.exclusions) groups.add(exclusion);
  const file = { name: 'payments.csv', ...identityOf(member) };
  const hasFailures = entries.some((entry) => entry.state === 'dead' || entry.state === 'refused');
  const verdict = isStopped ? 'rejected' : run.check.records.rejected > 0 ? 'partial' : 'accepted';
  const receipt = composeReceipt({
    plan,
    summary: run.summary,
    check: run.check,
    exclusionGroups: groups.toGroups(),
    outcomes: plan.targets.map(({ id }, index) => outcomeOf(id, entries, isStopped ? run.check.targets[index]! : null)),
    stated: {
      cell: 'local',
      region: 'local',
      tenant: { id: '01900000-0000-7000-8000-000000000001', name: 'bank' },
      job: {
        id: '01900000-0000-7000-8000-000000000002',
        lineageId: '01900000-0000-7000-8000-000000000002',
        state: isStopped ? 'rejected' : hasFailures ? 'completed_with_failures' : 'completed',
        verdict,
        checked: true,
        decision: decisionOf(options.decision ?? (isHeld ? 'decided by a person' : null), isStopped),
      },
      definition: identityOf(definition),
      environment: { name: 'test', hash: 'none' },
      versions: { headgate: '0.1.0', kernel: 'k', code: 'c', codec: '1', referenceData: { iso4217: '2026' } },
      file: { container: file, via: [], member: file },
      chunks: run.chunks,
      exclusions: exclusions === null ? null : identityOf(exclusions),
      batches: { ...identityOf(batches), count: entries.length },
      times: { acceptedAt: '2026-01-31T08:00:00.000Z', startedAt: '2026-01-31T08:00:01.000Z', closedAt: '2026-01-31T08:00:02.000Z' },
    },
  });
  return { files: exportFilesOf({ receipt, definition, member, exclusions, batches, run }), receipt, plan, definition };
}

function decisionOf(reason: string | null, isStopped: boolean): Receipt['job']['decision'] {
  if (reason === null) return null;
  const eventId = '01900000-0000-7000-8000-0000000000ee';
  return { kind: isStopped ? 'reject' : 'release', reason, actor: 'key:ops', eventId, at: '2026-01-31T08:00:01.500Z' };
}

/** The same bytes but for one line, which no parser can read. */
function withoutLine(member: Buffer, index: number): Buffer {
  const lines = member.toString('latin1').split('\n');
  lines[index] = '\xff'.repeat(lines[index]!.length);
  return Buffer.from(lines.join('\n'), 'latin1');
}

function asPoison<T extends { readonly code: string; readonly message: string }>(finding: T): T {
  return finding.code === 'E_ENCODING' ? { ...finding, code: 'E_POISON', message: poisonMessage } : finding;
}

function runJob(plan: Plan, member: Buffer, limits: SplitterOptions, damage: readonly Finding[] = []): FinishedRun {
  const flow = compileFlow(plan);
  const splitter = formats.find(({ name }) => name === plan.format.type)!.createSplitter(plan.format, plan.records, limits);
  splitter.push(member);
  const split = splitter.end();
  const parts: FinishedRun['parts'] = [];
  const summaries: ChunkSummary[] = [];
  const finished: FinishedChunk[] = [];
  let header: EnvelopeRecord | null | undefined;
  const chunks = split.chunks.map((spec): ChunkReceipt => {
    const outputs: Buffer[][] = plan.targets.map(() => []);
    const [outcomes, rejections]: Buffer[][] = [[], []];
    const collect = (into: Buffer[]) => ({ write: (bytes: Uint8Array) => void into.push(Buffer.from(bytes)) });
    const sinks = {
      targets: outputs.map(collect),
      outcomes: collect(outcomes!),
      rejected: (finding: Parameters<typeof encodeRejection>[0]) => void rejections!.push(Buffer.from(encodeRejection(asPoison(finding)))),
      warned() {},
    };
    const summary = runChunk(flow, spec, sourceOf(member), sinks, { hashKey: publicHashKey, header });
    if (header === undefined) header = knownHeader(summary);
    summaries.push(summary);
    const part = {
      outcomes: Buffer.concat(outcomes!),
      rejections: Buffer.concat(rejections!),
      outputs: outputs.map((pieces) => Buffer.concat(pieces)),
    };
    parts.push(part);
    finished.push({ spec, outcomes: new OutcomeSegment(sourceOf(part.outcomes)) });
    return chunkReceipt(spec, summary.records, part);
  });
  const folded = foldSummaries(summaries);
  const exclusions: FinishedRun['exclusions'] = [];
  const { check, summary } = checkFile(flow, {
    summary: { ...folded, errors: folded.errors.map(asPoison) },
    chunks: finished,
    source: sourceOf(member),
    damage: [...damage, ...split.damage],
    onExclusion: (exclusion) => void exclusions.push(exclusion),
  });
  return { chunks, parts, summary, check, exclusions };
}

function chunkReceipt(spec: ChunkSpec, records: ChunkReceipt['records'], part: ChunkParts): ChunkReceipt {
  const orNull = (bytes: Buffer) => (bytes.length === 0 ? null : identityOf(bytes));
  return { ...spec, records, outcomes: identityOf(part.outcomes), rejections: orNull(part.rejections), outputs: part.outputs.map(orNull) };
}

/** One chunk of all, as a chunk that was run in parts leaves it: parts behind each other. */
function joined(run: FinishedRun): FinishedRun {
  const { chunks, parts, summary } = run;
  const whole = {
    outcomes: Buffer.concat(parts.map((part) => part.outcomes)),
    rejections: Buffer.concat(parts.map((part) => part.rejections)),
    outputs: parts[0]!.outputs.map((_, target) => Buffer.concat(parts.map((part) => part.outputs[target]!))),
  };
  const { end } = chunks.at(-1)!;
  const { start, context } = chunks[0]!;
  return { ...run, chunks: [chunkReceipt({ number: 0, start, end, firstRecord: 1, context }, summary.records, whole)], parts: [whole] };
}

interface Line {
  readonly chunk: number;
  readonly start: number;
  readonly end: number;
  readonly amounts: FieldAmounts;
}

/** Two records a batch; the second batch of each target is divided into a refused and a dead one. */
function cutBatches(plan: Plan, member: Buffer, run: FinishedRun): BatchEntry[] {
  const excluded = new Set(run.exclusions.map(({ record }) => record));
  const ends = run.chunks.map(() => plan.targets.map(() => 0));
  const lines: Line[][] = plan.targets.map(() => []);
  for (const record of new ReferenceRun(plan).records([member])) {
    const chunk = run.chunks.findIndex(({ end }) => record.offset < end);
    if (chunk < 0) break;
    const money = new MoneyTotals(summedScales(plan));
    money.add(record.amounts);
    const amounts = money.toFieldAmounts();
    for (const [target, bytes] of record.outputs) {
      const start = ends[chunk]![target]!;
      ends[chunk]![target] = start + bytes.length;
      if (!excluded.has(record.record)) lines[target]!.push({ chunk, start, end: start + bytes.length, amounts });
    }
  }
  return lines.flatMap((own, target) => {
    const entryOf = (id: string, members: Line[], more: Pick<BatchEntry, 'state' | 'parentId'>): BatchEntry => {
      const bytes = Buffer.concat(members.map(({ chunk, start, end }) => run.parts[chunk]!.outputs[target]!.subarray(start, end)));
      const amounts = members.map((line) => line.amounts).reduce((sum, next) => addAmounts(sum, next), {} as FieldAmounts);
      const ranges = members.map(({ chunk, start, end }) => ({ chunk, start, end }));
      return {
        id,
        target: plan.targets[target]!.id,
        ranges,
        records: members.length,
        ...identityOf(bytes),
        body: identityOf(bytes),
        amounts,
        unknownAttempts: more.state === 'delivered' ? 1 : 0,
        ...more,
      };
    };
    return Array.from({ length: Math.ceil(own.length / 2) }, (_, batch) => {
      const id = (part: number) => `01900000-0000-7000-8000-${String(target * 100_000 + batch * 10 + part).padStart(12, '0')}`;
      const members = own.slice(batch * 2, batch * 2 + 2);
      if (batch !== 1 || members.length < 2) return [entryOf(id(0), members, { state: 'delivered', parentId: null })];
      return [
        entryOf(id(0), members, { state: 'divided', parentId: null }),
        entryOf(id(1), members.slice(0, 1), { state: 'refused', parentId: id(0) }),
        entryOf(id(2), members.slice(1), { state: 'dead', parentId: id(0) }),
      ];
    }).flat();
  });
}

function outcomeOf(
  target: string,
  entries: readonly BatchEntry[],
  stopped: { records: number; amounts: FieldAmounts } | null,
): TargetOutcome {
  const stage = (state: BatchEntry['state']) => {
    const own = entries.filter((entry) => entry.target === target && entry.state === state);
    return {
      records: own.reduce((sum, entry) => sum + entry.records, 0),
      amounts: own.reduce<FieldAmounts>((sum, entry) => addAmounts(sum, entry.amounts), {}),
    };
  };
  return {
    delivered: stage('delivered'),
    refused: stage('refused'),
    dead: stage('dead'),
    cancelled: stopped === null ? stage('cancelled') : { records: stopped.records, amounts: stopped.amounts },
  };
}

interface ExportParts {
  readonly receipt: Receipt;
  readonly definition: Buffer;
  readonly member: Buffer;
  readonly exclusions: Buffer | null;
  readonly batches: Buffer;
  readonly run: FinishedRun;
}

function exportFilesOf({ receipt, definition, member, exclusions, batches, run }: ExportParts): Map<string, Buffer> {
  const issued = issueReceipt(receipt, fixtureKey);
  const entries = exportEntries({
    receipt,
    receiptBytes: Buffer.from(issued.body),
    signature: issued.signature,
    definition,
    openMember: () => sourceOf(member),
    openContainer: () => sourceOf(member),
    openExclusions: () => sourceOf(exclusions!),
    openBatches: () => sourceOf(batches),
    openOutcomes: (chunk) => sourceOf(run.parts[chunk]!.outcomes),
    openRejections: (chunk) => sourceOf(run.parts[chunk]!.rejections),
    openOutput: (chunk, target) => sourceOf(run.parts[chunk]!.outputs[target]!),
  });
  const files = new Map<string, Buffer>();
  for (const { name, pieces } of entries) files.set(name, Buffer.concat([...pieces]));
  return files;
}

/** Replaces files and makes manifest and signature agree again, as someone who holds the signing key could. */
export function resealed(
  job: ExportedFixture,
  changes: { readonly receipt?: Receipt; readonly files?: ReadonlyMap<string, Buffer> },
): Map<string, Buffer> {
  const receiptBytes = Buffer.from(canonicalJson(changes.receipt ?? job.receipt));
  const files = new Map([...job.files, ...(changes.files ?? [])]);
  files.set('receipt.json', receiptBytes);
  files.set('receipt.jws', Buffer.from(signReceipt(receiptBytes, fixtureKey)));
  return listedAgain(files);
}

/** Makes the manifest agree with the files, as anyone could. */
export function listedAgain(files: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const { jobId } = JSON.parse(files.get('manifest.json')!.toString()) as { jobId: string };
  const others = [...files].filter(([path]) => path !== 'manifest.json');
  const listed = others.map(([path, bytes]) => ({ path, ...identityOf(bytes) })).sort((a, b) => (a.path < b.path ? -1 : 1));
  return new Map([...others, ['manifest.json', Buffer.from(canonicalJson({ exportVersion: 1, jobId, files: listed }))]]);
}

/** Puts another part into a job and lets the receipt name it, as someone who holds the signing key could. */
export function withPart(job: ExportedFixture, name: string, bytes: Buffer): Map<string, Buffer> {
  const before = hashOf(job.files.get(name)!);
  const renamed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(renamed);
    if (typeof value !== 'object' || value === null) return value;
    const inner = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renamed(each)]));
    return inner['sha256'] === before ? { ...inner, ...identityOf(bytes) } : inner;
  };
  return resealed(job, { receipt: renamed(job.receipt) as Receipt, files: new Map([[name, bytes]]) });
}
