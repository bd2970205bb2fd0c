/**
 * Reads a file of `headgate run` in order: hashes it and cuts it into chunks, which are taken one after the other. Between two
 * pieces other events have their turn: chunks that are run elsewhere ask for their place in the outputs.
 */
import { createHash } from 'node:crypto';
import type { ChunkSpec } from '../../pipeline/engine/chunk.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { Format, SplitResult, Splitter, SplitterOptions } from '../../pipeline/formats/format.ts';
import { nextTurn } from '../../platform/base/system-ports.ts';
import type { HashApart } from './hash-apart.ts';
import type { FileSource } from './plain-files.ts';

export interface SplitFile {
  readonly split: SplitResult;
  readonly sha256: string;
}

export type ChunkSizes = Required<Pick<SplitterOptions, 'chunkBytes' | 'firstChunkBytes'>>;

export interface SplitRules {
  readonly format: Format;
  readonly plan: Plan;
  readonly sizes: ChunkSizes;
  /** What reads the file in front of the splitter of its lines; null: the splitter itself does. */
  readonly inFront: ((lines: Splitter) => Splitter) | null;
  /** Null: the file is hashed here. */
  readonly hash: HashApart | null;
  /** Of each piece, with the bytes up to its end. */
  readonly onRead: (done: number) => void;
}

export async function splitFile(source: FileSource, rules: SplitRules, take: (spec: ChunkSpec) => Promise<void>): Promise<SplitFile> {
  const { format, plan, sizes, inFront, hash: apart, onRead } = rules;
  const hash = apart === null ? createHash('sha256') : null;
  const found: ChunkSpec[] = [];
  let done = 0;
  const own = format.createSplitter(plan.format, plan.records, { ...sizes, onChunk: (spec) => void found.push(spec) });
  const splitter = inFront === null ? own : inFront(own);
  for (const piece of source.pieces()) {
    hash?.update(piece);
    splitter.push(piece);
    for (const spec of found.splice(0)) await take(spec);
    onRead((done += piece.length));
    await nextTurn();
  }
  const split = splitter.end();
  for (const spec of found.splice(0)) await take(spec);
  return { split, sha256: hash?.digest('hex') ?? (await apart!.digest) };
}
