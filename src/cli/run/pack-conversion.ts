/** What a flow reads of a pack's file in `headgate run`: a file of its own beside the outputs, to which offsets in outcomes refer. */
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { Format, Splitter } from '../../pipeline/formats/format.ts';
import type { Pack, Packs } from '../../pipeline/formats/pack.ts';
import { createPackSplitter, noSplitter } from '../../pipeline/formats/pack-splitter.ts';
import { OutputFile, recordsName } from './output-files.ts';
import { FileSource } from './plain-files.ts';

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

/** Lines that grow while the file is read, and can be read as far as they are written. */
export class PackConversion {
  /** Another one after `finish`. */
  lines: FileSource;
  readonly #file: OutputFile;
  readonly #pack: Pack;
  readonly #plan: Plan;

  constructor(pack: Pack, plan: Plan, folder: string) {
    this.#pack = pack;
    this.#plan = plan;
    this.#file = new OutputFile(folder, recordsName);
    this.lines = FileSource.growing(this.#file.partPath);
  }

  inFront(lines: Splitter): Splitter {
    return createPackSplitter({ pack: this.#pack, settings: settingsOf(this.#plan), lines, keep: (bytes) => this.#file.write(bytes) });
  }

  /** Gives the lines their name. */
  finish(): void {
    this.#file.finish();
    this.lines.close();
    this.lines = new FileSource(this.#file.path);
  }

  close(): void {
    this.lines.close();
  }
}

function settingsOf({ format }: Plan) {
  return (format as Extract<Plan['format'], { type: 'json-lines' }>).pack!.settings;
}

/** The lines that a pack makes of a file, as they come; without a pack the file itself. */
export function* piecesOf(pieces: Iterable<Uint8Array>, plan: Plan, pack: Pack | null): Generator<Uint8Array> {
  if (pack === null) {
    yield* pieces;
    return;
  }
  const kept: Uint8Array[] = [];
  const reader = createPackSplitter({
    pack,
    settings: settingsOf(plan),
    lines: noSplitter,
    keep: (bytes) => void kept.push(Buffer.from(bytes)),
  });
  for (const piece of pieces) {
    reader.push(piece);
    yield* kept.splice(0);
  }
  reader.end();
  yield* kept;
}
