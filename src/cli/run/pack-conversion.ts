/** What a flow reads of a pack's file in `headgate run`: a file of its own beside the outputs, to which offsets in outcomes refer. */
import type { Finding } from '../../pipeline/engine/chunk.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { Splitter } from '../../pipeline/formats/format.ts';
import type { Pack } from '../../pipeline/formats/pack.ts';
import { createPackSplitter, noSplitter } from '../../pipeline/formats/pack-splitter.ts';
import { GrowingLines } from './growing-lines.ts';
import { OutputFile, recordsName } from './output-files.ts';
import { FileSource } from './plain-files.ts';

/** Bytes of lines that wait to be written. */
const unwrittenMax = 4 * 1024 * 1024;

/** Lines that grow while the file is read, and can be read as far as they are written. */
export class PackConversion {
  /** Another one after `finish`. */
  lines: FileSource;
  readonly #file: OutputFile;
  readonly #pack: Pack;
  readonly #plan: Plan;
  /** Null: lines are written as they come. */
  readonly #beside: GrowingLines | null;

  /** `isBeside`: lines are written beside the thread that makes them. */
  constructor(pack: Pack, plan: Plan, { folder, isBeside }: { readonly folder: string; readonly isBeside: boolean }) {
    this.#pack = pack;
    this.#plan = plan;
    this.#file = new OutputFile(folder, recordsName);
    this.#beside = isBeside ? new GrowingLines(this.#file) : null;
    this.lines = FileSource.growing(this.#file.partPath);
  }

  inFront(lines: Splitter): Splitter {
    const beside = this.#beside;
    const keep = beside === null ? (bytes: Uint8Array) => this.#file.write(bytes) : (bytes: Uint8Array) => beside.add(bytes);
    return createPackSplitter({ pack: this.#pack, settings: settingsOf(this.#plan), lines, keep });
  }

  /** The lines from which on nothing can be read yet. Resolves when few wait to be written. */
  async readableBytes(): Promise<number> {
    await this.#beside?.below(unwrittenMax);
    return this.#beside?.writtenBytes ?? this.#file.bytes;
  }

  /** Resolves when all lines can be read. */
  async written(): Promise<void> {
    await this.#beside?.below(1);
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

/** The lines that a pack makes of a file, as they come; without a pack the file itself. `onDamage` is told at its end what the pack found of it as a whole. */
export function* piecesOf(
  pieces: Iterable<Uint8Array>,
  plan: Plan,
  pack: Pack | null,
  onDamage: (finding: Finding) => void = () => {},
): Generator<Uint8Array> {
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
  for (const finding of reader.end().damage) onDamage(finding);
  yield* kept;
}
