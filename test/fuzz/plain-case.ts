/** One file of a random flow, changed: the engine and the reference parser must say the same of it, whatever its chunks and path. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type RandomFile, randomFile } from '../../src/pipeline/engine/reference/random-files.fixture.ts';
import { runEngine, runReference } from '../../src/pipeline/engine/reference/run-accounts.fixture.ts';
import { changed, type Random } from './changes.ts';

export const plainFormats = ['delimited', 'fixed-width', 'json-lines'] as const;
export type PlainFormat = (typeof plainFormats)[number];

export interface PlainCase {
  readonly plan: RandomFile['plan'];
  readonly bytes: Buffer;
}

/** Flows of all formats are drawn until one has the wanted. */
const drawsMax = 200;

export function drawPlainCase(format: PlainFormat, seed: number, random: Random): PlainCase {
  for (let draw = 0; draw < drawsMax; draw++) {
    const [drawn] = fc.sample(randomFile, { seed: seed * drawsMax + draw, numRuns: 1 });
    if (drawn!.plan.format.type === format) return { plan: drawn!.plan, bytes: changed(drawn!.bytes, random, [drawn!.bytes]) };
  }
  throw new Error(`no flow of format ${format} was drawn`);
}

/** Null: both say the same. */
export function differenceOf({ plan, bytes }: PlainCase, random: Random): string | null {
  const chunkBytes = [1, 40, 1_000_000][random.integer(3)]!;
  const path = random.integer(2) === 0 ? 'slow' : 'fast';
  const blockBytes = [64, 1_024][random.integer(2)]!;
  try {
    const [engine, reference] = [runEngine(plan, bytes, { chunkBytes, path, blockBytes }), runReference(plan, bytes)];
    for (const part of Object.keys(reference) as (keyof typeof reference)[])
      if (!isDeepStrictEqual(engine[part], reference[part])) return `its ${part} differ (chunks of ${chunkBytes} bytes, ${path} path)`;
    return null;
  } catch (error) {
    return `it fails with ${error instanceof Error ? error.stack : String(error)}`;
  }
}
