/**
 * Runs a group piece by piece and keeps nothing of it, telling of each piece before it begins. Where pieces end is found
 * without judging a record, so that what cannot be worked on can still be cut around.
 */

import { createRecordEnds, type RecordEnds } from '../../../pipeline/engine/records/record-end.ts';
import { windowSource } from '../../../pipeline/engine/records/window-bytes.ts';
import { runChunk } from '../../../pipeline/engine/run-chunk.ts';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { compiledFlowOf } from '../groups/engine-flows.ts';
import type { ChunkToRun, GroupRun, Piece } from '../groups/group-run.ts';
import type { WatchSource } from '../groups/group-runner.ts';
import type { ThreadStorage } from '../groups/thread-storage.ts';
import { withoutPoison } from './poison-source.ts';

export interface ProbeRequest {
  readonly run: GroupRun;
  readonly only: Piece | null;
  readonly pieceBytes: number;
}

export interface ProbeParts {
  readonly watch: WatchSource;
  note(piece: Piece): void;
}

export function probeGroup(storage: ThreadStorage, request: ProbeRequest, parts: ProbeParts): void {
  const { run, only } = request;
  for (const chunk of run.chunks) {
    if (only !== null && (only.jobId !== chunk.jobId || only.chunkNumber !== chunk.spec.number)) continue;
    const reader = storage.store.open(run.tenantId, chunk.file);
    try {
      const poison = run.poison.filter((record) => record.jobId === chunk.jobId);
      const masked = withoutPoison(reader, poison, run.plan.format);
      const source = parts.watch === null ? masked : parts.watch(masked);
      probeChunk({ request, chunk, plain: reader, source, hashKey: storage.searchKey(run.tenantId).key }, parts);
    } finally {
      reader.close();
    }
  }
}

interface ChunkProbe {
  readonly request: ProbeRequest;
  readonly chunk: ChunkToRun;
  /** For finding the ends of records only. */
  readonly plain: ByteSource;
  readonly source: ByteSource;
  readonly hashKey: Uint8Array;
}

function probeChunk({ request, chunk, plain, source, hashKey }: ChunkProbe, parts: ProbeParts): void {
  const { run, only, pieceBytes } = request;
  const flow = compiledFlowOf(run);
  const nowhere = { write() {} };
  const sinks = { targets: run.plan.targets.map(() => nowhere), outcomes: nowhere, rejected() {}, warned() {} };
  const { start, end } = only ?? chunk.spec;
  // Counted by the engine: what lies between two line ends may be no record.
  let { firstRecord } = only ?? chunk.spec;
  for (const piece of piecesOf({ run, chunk, plain, range: { start, end }, pieceBytes })) {
    parts.note({ ...piece, firstRecord });
    const spec = { ...chunk.spec, start: piece.start, end: piece.end, firstRecord };
    firstRecord += runChunk(flow, spec, source, sinks, { hashKey, path: 'slow' }).records.read;
  }
}

const windowBytes = 1024 * 1024;
/** No record is longer than this and its line end. */
const windowBytesMax = 64 * 1024 * 1024;

interface Cut {
  readonly run: GroupRun;
  readonly chunk: ChunkToRun;
  readonly plain: ByteSource;
  readonly range: { readonly start: number; readonly end: number };
  readonly pieceBytes: number;
}

function* piecesOf({ run, chunk, plain, range, pieceBytes }: Cut): Generator<Omit<Piece, 'firstRecord'>> {
  const ends = createRecordEnds(run.plan.format);
  const common = { jobId: chunk.jobId, chunkNumber: chunk.spec.number };
  let pieceStart = range.start;
  let records = 0;
  let lastContentEnd = range.start;
  for (const { next, content } of recordEnds(windowSource(plain, run.plan.format), range, ends)) {
    records++;
    lastContentEnd = content;
    if (next - pieceStart < pieceBytes) continue;
    yield { ...common, start: pieceStart, end: next, contentEnd: content, records };
    pieceStart = next;
    records = 0;
  }
  if (records > 0) yield { ...common, start: pieceStart, end: range.end, contentEnd: lastContentEnd, records };
}

function* recordEnds(
  source: ByteSource,
  range: { readonly start: number; readonly end: number },
  ends: RecordEnds,
): Generator<{ readonly next: number; readonly content: number }> {
  let window = Buffer.alloc(windowBytes);
  for (let base = range.start; base < range.end; ) {
    const length = source.read(window, 0, Math.min(window.length, range.end - base), base);
    const isLast = base + length >= range.end;
    let at = 0;
    while (at < length) {
      const found = ends.find(window, at, length);
      if (found < 0 && !isLast) break;
      const end = found < 0 ? length : found;
      const next = Math.min(length, end + ends.endBytes);
      yield { next: base + next, content: base + ends.contentEnd(window, at, end) };
      at = next;
    }
    if (at === 0 && window.length >= windowBytesMax) return;
    if (at === 0) window = Buffer.alloc(window.length * 4);
    base += at;
  }
}
