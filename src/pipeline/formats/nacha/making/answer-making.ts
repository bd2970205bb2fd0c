/**
 * Makes the file that answers entries of another one: returns, dishonored and contested returns, notifications of change and their
 * refusals, as a document asks for them. Holds the document and the answers, up to bounds, and nothing of the other entries.
 */
import { WholeDocument } from '../../documents/whole-document.ts';
import type { PackFilesSink, PackMaking, PackSettings, PackWritten } from '../../pack.ts';
import { nachaErrors } from '../nacha-errors.ts';
import { readNachaSettings } from '../nacha-settings.ts';
import { fileHeader } from '../record-layouts.ts';
import { withoutLeadingZero } from '../routing-number.ts';
import { AchFileWriter } from '../writing/ach-file-writer.ts';
import { Below, documentRoot, refuse } from '../writing/document-values.ts';
import { usualLine } from '../writing/file-output.ts';
import { fieldOf } from '../writing/record-text.ts';
import { readWriterSettings } from '../writing/writer-settings.ts';
import { type AnswerRequests, readAnswerRequests } from './answer-requests.ts';
import { AnsweredRecords } from './answered-records.ts';
import { readFirstSequence } from './maker-settings.ts';
import { FilePlace, ReadFile } from './read-file.ts';

const documentBytesMax = 64 * 1024 * 1024;

export class AnswerMaking implements PackMaking {
  readonly #sink: PackFilesSink;
  readonly #settings: PackSettings;
  readonly #takesFaultyFiles: boolean;
  readonly #document = new WholeDocument(documentBytesMax);
  #requests: AnswerRequests | null = null;
  #records: AnsweredRecords | null = null;
  #file: ReadFile | null = null;

  /** `takesFaultyFiles`: entries of a file that the reader refuses are answered too, as far as they can be read. */
  constructor(settings: PackSettings, sink: PackFilesSink, { takesFaultyFiles = false } = {}) {
    this.#settings = settings;
    this.#takesFaultyFiles = takesFaultyFiles;
    this.#sink = sink;
  }

  pushDocument(bytes: Uint8Array): void {
    this.#document.push(bytes);
  }

  beginFile(name: string): void {
    this.#requests = readAnswerRequests(this.#document.end());
    this.#records = new AnsweredRecords(this.#requests, readFirstSequence(this.#settings));
    this.#file = new ReadFile(name, readNachaSettings(this.#settings), this.#records, { isFaulty: this.#takesFaultyFiles });
  }

  push(bytes: Uint8Array): void {
    this.#file!.push(bytes);
  }

  endFile(): void {
    this.#file!.end();
  }

  end(): readonly PackWritten[] {
    const settings = { reader: readNachaSettings(this.#settings), writer: readWriterSettings(this.#settings) };
    const writer = new AchFileWriter(this.#sink.begin(), settings);
    const { header, batches } = this.#records!;
    if (header === '') throw refuse(new FilePlace(this.#file!.name, 1), 'the file has no file header', nachaErrors.E_NACHA_ANSWER);
    writer.fileHeader(this.#requests!.fileHeader, new Below(documentRoot, 'fileHeader'), {
      missing: swappedHeader(header),
      required: ['fileCreationDate'],
    });
    for (const batch of batches.inOrder) {
      writer.beginBatchRecord(batch.form, batch.header, batch.place);
      for (const { source, texts } of batch.held.inOrder()) {
        const place = new Below(documentRoot, 'entries', source);
        writer.entryRecords(texts.map((text) => ({ text, place, line: usualLine })));
      }
      writer.endBatch({ members: null, place: batch.place });
    }
    return [writer.end({ filler: null, isLastLineEnded: true, trailer: null })];
  }
}

/** The answers go back where the file came from. */
function swappedHeader(header: string): Readonly<Record<string, string>> {
  const of = (name: string) => fieldOf(fileHeader, header, name).trim();
  return {
    immediateDestination: withoutLeadingZero(of('immediateOrigin')),
    immediateOrigin: of('immediateDestination'),
    immediateDestinationName: of('immediateOriginName'),
    immediateOriginName: of('immediateDestinationName'),
  };
}
