/** Writes an ACH file from the document that `--parse` prints, as it comes: in one pass, in bounded memory. */
import { DocumentStream } from '../../documents/document-stream.ts';
import type { PackDocumentWriter, PackFileSink, PackSettings, PackWritten } from '../../pack.ts';
import { readNachaSettings } from '../nacha-settings.ts';
import { AchFileWriter } from './ach-file-writer.ts';
import { FileTaker } from './document-takers.ts';
import { readWriterSettings } from './writer-settings.ts';

/** Of an entry with its addenda, the longest part of a document that is held. */
const entryBytesMax = 8 * 1024 * 1024;

export class NachaDocumentWriter implements PackDocumentWriter {
  readonly #writer: AchFileWriter;
  readonly #file: FileTaker;
  readonly #stream: DocumentStream;

  constructor(settings: PackSettings, sink: PackFileSink) {
    this.#writer = new AchFileWriter(sink, { writer: readWriterSettings(settings), reader: readNachaSettings(settings) });
    this.#file = new FileTaker(this.#writer);
    this.#stream = new DocumentStream(this.#file, { wholeBytesMax: entryBytesMax });
  }

  push(bytes: Uint8Array): void {
    this.#stream.push(bytes);
  }

  end(): PackWritten {
    this.#stream.end();
    return this.#writer.end(this.#file.trailer);
  }
}
