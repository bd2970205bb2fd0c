/**
 * Puts several ACH files into one, or into as few as limits allow: entries of batches whose headers are the same come into one
 * batch, where their trace numbers ascend. Batch numbers and controls are new, entries stay as they are. Holds the records of all
 * files, up to a bound.
 */
import { createHash, type Hash } from 'node:crypto';
import type { PackFilesSink, PackMaking, PackSettings, PackWritten } from '../../pack.ts';
import { nachaErrors } from '../nacha-errors.ts';
import { readNachaSettings } from '../nacha-settings.ts';
import { documentRoot, refuse } from '../writing/document-values.ts';
import { readWriterSettings } from '../writing/writer-settings.ts';
import { readMergeLimits } from './maker-settings.ts';
import { MergedFiles } from './merged-files.ts';
import { MergedRecords } from './merged-records.ts';
import { FilePlace, ReadFile } from './read-file.ts';

export class MergeMaking implements PackMaking {
  readonly #sink: PackFilesSink;
  readonly #settings: PackSettings;
  readonly #records = new MergedRecords();
  /** Names of the files by the hash of their bytes. */
  readonly #names = new Map<string, string>();
  #file: ReadFile | null = null;
  #hash: Hash = createHash('sha256');

  constructor(settings: PackSettings, sink: PackFilesSink) {
    this.#settings = settings;
    this.#sink = sink;
  }

  pushDocument(): void {
    throw refuse(documentRoot, 'files are put into one without a document');
  }

  beginFile(name: string): void {
    this.#hash = createHash('sha256');
    this.#records.beginFile(name);
    this.#file = new ReadFile(name, readNachaSettings(this.#settings), this.#records);
  }

  push(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#file!.push(bytes);
  }

  endFile(): void {
    const file = this.#file!;
    file.end();
    const place = new FilePlace(file.name, 1);
    if (this.#records.header === null) throw refuse(place, 'the first file has no file header', nachaErrors.E_NACHA_MERGE);
    const hash = this.#hash.digest('hex');
    const same = this.#names.get(hash);
    if (same !== undefined) throw refuse(place, `the file is the same as ${same}`, nachaErrors.E_NACHA_MERGE);
    this.#names.set(hash, file.name);
  }

  end(): readonly PackWritten[] {
    const settings = {
      reader: readNachaSettings(this.#settings),
      writer: readWriterSettings(this.#settings),
      limits: readMergeLimits(this.#settings),
    };
    const files = new MergedFiles(this.#sink, settings, this.#records.header!);
    for (const batch of this.#records.batches.inOrder) files.add(batch, (source) => this.#records.placeOf(source));
    return files.end();
  }
}
