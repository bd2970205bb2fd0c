/** What the loops over small files have in common: a file through the compiled flow, and a durable file out. */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { formats } from '../../src/main/catalogue.ts';
import type { ChunkSummary } from '../../src/pipeline/engine/chunk.ts';
import { compileFlow } from '../../src/pipeline/engine/compile-flow.ts';
import { publicHashKey, runChunk } from '../../src/pipeline/engine/run-chunk.ts';
import { encodeRejection } from '../../src/pipeline/ledger/rejection-lines.ts';

const blockBytes = 16 * 1024;

/** Runs files of one chunk. */
export function openFlow(path: string) {
  const flow = compileFlow(loadFlow(readFileSync(path, 'utf8')).plan!);
  const format = formats.find(({ name }) => name === flow.plan.format.type)!;
  return { plan: flow.plan, run: (content: Buffer) => runWholeFile(flow, format, content) };
}

function runWholeFile(flow: ReturnType<typeof compileFlow>, format: (typeof formats)[number], content: Buffer) {
  const splitter = format.createSplitter(flow.plan.format, flow.plan.records, { chunkBytes: 16 * 1024 * 1024 });
  splitter.push(content);
  const [chunk] = splitter.end().chunks;
  const outputs: Buffer[] = [];
  const outcomes: Buffer[] = [];
  let rejections = '';
  const source = {
    size: content.length,
    read: (into: Uint8Array, at: number, length: number, position: number) => {
      const piece = content.subarray(position, position + length);
      into.set(piece, at);
      return piece.length;
    },
  };
  const sinks = {
    targets: [{ write: (bytes: Uint8Array) => void outputs.push(Buffer.from(bytes)) }],
    outcomes: { write: (bytes: Uint8Array) => void outcomes.push(Buffer.from(bytes)) },
    rejected: (finding: Parameters<typeof encodeRejection>[0]) => {
      rejections += encodeRejection(finding);
    },
    warned: () => {},
  };
  const summary: ChunkSummary = runChunk(flow, chunk!, source, sinks, { hashKey: publicHashKey, header: null, blockBytes });
  return { chunk: chunk!, summary, output: Buffer.concat(outputs), outcomes: Buffer.concat(outcomes), rejections: Buffer.from(rejections) };
}

/** Under a temporary name, fsynced, renamed, and its folder fsynced. */
export function writeDurably(path: string, bytes: Buffer, folder: number): void {
  const file = openSync(`${path}.part`, 'wx');
  writeSync(file, bytes);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.part`, path);
  fsyncSync(folder);
}

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
