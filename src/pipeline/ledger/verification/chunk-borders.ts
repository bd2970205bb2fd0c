/**
 * Holds the chunks of a receipt against the raw file: which part of it they must cover, that they cut it where a record may end, and
 * what each of them was told of the header row. The reference parser says where a damaged file stops being readable.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { FileCoverage } from '../../engine/reference/reference-run.ts';
import type { Receipt } from '../receipt.ts';
import type { VerificationLog } from './verification-report.ts';

const name = 'chunk borders';
const code = 'E_VERIFY_CHUNKS';

interface Parts {
  readonly receipt: Receipt;
  readonly coverage: FileCoverage;
  readonly member: ByteSource;
  readonly log: VerificationLog;
}

/** Each has parts of its own, which are read once: nothing is recomputed of chunks that share them. */
export function areChunksApart({ chunks }: Receipt, log: VerificationLog): boolean {
  const shared = chunks.find(({ number }, at) => at > 0 && number <= chunks[at - 1]!.number);
  if (shared !== undefined) log.check(name, failure(shared.number, 'it does not follow the one before'));
  return shared === undefined;
}

/** Of a checked job: chunks follow each other from the first byte that has to be read to the last; so do their records. */
export function checkAllChunks({ receipt, coverage, member, log }: Parts): void {
  const { chunks } = receipt;
  const end = coverage.stop ?? member.size;
  let [next, nextRecord] = [coverage.start, 1];
  chunks.forEach((chunk, at) => {
    // Records that are sent again keep the numbers that they had: there may be others between them.
    const isNumbered = receipt.job.redrive === undefined ? chunk.firstRecord === nextRecord : chunk.firstRecord >= nextRecord;
    const isNext = chunk.number === at && chunk.start === next && isNumbered;
    const isSound = isNext && (chunk.end > chunk.start || chunks.length === 1);
    log.check(name, isSound ? null : failure(chunk.number, 'it does not follow the one before'));
    next = chunk.end;
    nextRecord = chunk.firstRecord + chunk.records.read;
  });
  const message = 'the chunks do not end where the file can be read no further';
  log.check(name, next === Math.max(end, coverage.start) ? null : { code, at: 'the last chunk', message });
  checkEach({ receipt, coverage, member, log });
}

/** Of a job that was ended before its check: chunks need not be all of the file's, but come in its order. */
export function checkRunChunks({ receipt, coverage, member, log }: Parts): void {
  const { chunks } = receipt;
  const end = coverage.stop ?? member.size;
  chunks.forEach((chunk, at) => {
    const before = chunks[at - 1];
    const isAfter = before === undefined || (chunk.number > before.number && chunk.start >= before.end);
    const isFirst = (chunk.number === 0) === (chunk.start === coverage.start);
    const isSound = isAfter && isFirst && chunk.start >= coverage.start && chunk.start <= chunk.end && chunk.end <= end;
    log.check(name, isSound ? null : failure(chunk.number, 'it does not lie in the file after the one before'));
  });
  checkEach({ receipt, coverage, member, log });
}

function checkEach({ receipt, coverage, member, log }: Parts): void {
  const end = coverage.stop ?? member.size;
  const found = { version: 1, columns: coverage.columns };
  for (const { number, start, end: chunkEnd, context } of receipt.chunks) {
    const isCut = [start, chunkEnd].every((at) => at <= coverage.start || at === end || isBehindRecord(member, at, coverage));
    log.check(name, isCut ? null : failure(number, 'it does not begin and end between records'));
    const isTold = isDeepStrictEqual(context, found);
    log.check('chunk contexts', isTold ? null : failure(number, 'it was told of another header row than the file has'));
  }
}

function isBehindRecord(member: ByteSource, at: number, { start, borders }: FileCoverage): boolean {
  if ('everyBytes' in borders) return (at - start) % borders.everyBytes === 0;
  const byte = Buffer.alloc(1);
  return member.read(byte, 0, 1, at - 1) === 1 && borders.behind.includes(byte[0]!);
}

function failure(number: number, message: string) {
  return { code, at: `chunk ${number}`, message } as const;
}
