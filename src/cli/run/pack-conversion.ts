/** What a flow reads of a pack's file in `headgate run`: a file of its own beside the outputs, to which offsets in outcomes refer. */
import { createHash } from 'node:crypto';
import type { Finding, FindingGroup } from '../../pipeline/engine/chunk.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { Format } from '../../pipeline/formats/format.ts';
import type { Pack, Packs } from '../../pipeline/formats/pack.ts';
import { createPackSplitter, noSplitter } from '../../pipeline/formats/pack-splitter.ts';
import { nextTurn } from '../../platform/base/system-ports.ts';
import { OutputFile, recordsName } from './output-files.ts';
import type { FileSource } from './plain-files.ts';

export interface Catalogue {
  readonly formats: readonly Format[];
  readonly packs: Packs;
}

/** What a plan's files are read with. */
export interface FileFormat {
  readonly format: Format;
  /** Null where the format is no pack. */
  readonly pack: Pack | null;
}

export async function formatOf(plan: Plan, { formats, packs }: Catalogue): Promise<FileFormat> {
  const format = formats.find(({ name }) => name === plan.format.type)!;
  const pack = plan.format.type === 'json-lines' && plan.format.pack !== undefined ? await packs[plan.format.pack.name]() : null;
  return { format, pack };
}

export interface ConvertedFile {
  readonly path: string;
  /** Of the file as it was given. */
  readonly sha256: string;
  readonly damage: readonly Finding[];
  readonly warnings: readonly FindingGroup[];
}

export async function convertFile(source: FileSource, pack: Pack, plan: Plan, folder: string): Promise<ConvertedFile> {
  const { settings } = (plan.format as Extract<Plan['format'], { type: 'json-lines' }>).pack!;
  const hash = createHash('sha256');
  const file = new OutputFile(folder, recordsName);
  const reader = createPackSplitter({ pack, settings, lines: noSplitter, keep: (bytes) => file.write(bytes) });
  for (const piece of source.pieces()) {
    hash.update(piece);
    reader.push(piece);
    await nextTurn();
  }
  const { damage, warnings = [] } = reader.end();
  file.finish();
  return { path: file.path, sha256: hash.digest('hex'), damage, warnings };
}

/** The lines that a pack makes of a file, as they come; without a pack the file itself. */
export function* piecesOf(pieces: Iterable<Uint8Array>, plan: Plan, pack: Pack | null): Generator<Uint8Array> {
  if (pack === null) {
    yield* pieces;
    return;
  }
  const { settings } = (plan.format as Extract<Plan['format'], { type: 'json-lines' }>).pack!;
  const kept: Uint8Array[] = [];
  const reader = createPackSplitter({ pack, settings, lines: noSplitter, keep: (bytes) => void kept.push(Buffer.from(bytes)) });
  for (const piece of pieces) {
    reader.push(piece);
    yield* kept.splice(0);
  }
  reader.end();
  yield* kept;
}
