/**
 * Writes SWIFT MT messages from the document that `--parse` prints, each as a FIN message where it has headers, else its text
 * alone. A message is held as a whole, of a file nothing else. The file is read back while it is written: what the reader would
 * refuse is refused with its place in the document.
 */
import { DocumentStream, type JsonValue, type PartKey, type PartTaker, pointerTo } from '../../documents/document-stream.ts';
import type { PackDocumentWriter, PackFileSink, PackReader, PackSink, PackWritten } from '../../pack.ts';
import type { PackFinding } from '../../pack-finding.ts';
import { CheckedOutput } from '../../writing/checked-output.ts';
import { DocumentValues, type JsonMembers } from '../../writing/document-values.ts';
import { RecordPlaces } from '../../writing/record-places.ts';
import { layoutOf } from '../message-layouts.ts';
import { swiftErrors } from '../swift-errors.ts';
import { typeOfTags } from '../type-guess.ts';
import { PaymentFields } from './payment-fields.ts';
import { StatementFields, statementKeys, type WrittenField } from './statement-fields.ts';

export interface SwiftWriterSettings {
  readonly lineEnd: 'LF' | 'CRLF';
  /** What readers take messages for that do not say their type; null: what their fields say. */
  readonly messageType: string | null;
}

const headerKeys = ['basicHeader', 'applicationHeader', 'userHeader', 'trailer'] as const;
type Headers = Readonly<Record<(typeof headerKeys)[number], string | null>>;

export class SwiftWriter implements PackDocumentWriter {
  readonly #values = new DocumentValues(swiftErrors.E_SWIFT_DOCUMENT);
  readonly #statements = new StatementFields(this.#values);
  readonly #payments = new PaymentFields(this.#values);
  readonly #places = new RecordPlaces();
  readonly #output: CheckedOutput;
  readonly #settings: SwiftWriterSettings;
  readonly #lineEnd: string;
  readonly #stream: DocumentStream;
  /** Fields of the message that is written and of the one before, of which findings may still be told. */
  #recentFields: readonly [before: number, now: number] = [0, 0];

  /** Of the messages so far; null: there are none. */
  #hasHeaders: boolean | null = null;

  constructor(settings: SwiftWriterSettings, createReader: (sink: PackSink) => PackReader, sink: PackFileSink) {
    this.#settings = settings;
    this.#lineEnd = settings.lineEnd === 'CRLF' ? '\r\n' : '\n';
    this.#output = new CheckedOutput({
      createReader,
      code: swiftErrors.E_SWIFT_DOCUMENT,
      pointerOf: (finding) => this.#pointerOf(finding),
      bytes: (piece) => sink.bytes(piece),
      readBack: () => this.#places.keepLast(this.#recentFields[0] + this.#recentFields[1]),
    });
    this.#stream = new DocumentStream({
      open: (_, kind) => (kind === 'object' ? this.#file() : null),
      take: (_, value) => void this.#values.object(value, ''),
    });
  }

  push(bytes: Uint8Array): void {
    this.#stream.push(bytes);
  }

  end(): PackWritten {
    this.#stream.end();
    return this.#output.end();
  }

  #file(): PartTaker {
    const messages: PartTaker = {
      open: () => null,
      take: (index, value) => this.#writeMessage(value, `/messages/${index}`),
      close: () => {},
    };
    return {
      open: (key, kind) => (key === 'messages' && kind === 'list' ? messages : null),
      take: (key: PartKey, value: JsonValue) => {
        if (key !== 'messages') throw this.#values.unknownKey(key, '');
        this.#values.list(value, '/messages');
      },
      close: () => {},
    };
  }

  #writeMessage(value: JsonValue, pointer: string): void {
    const message = this.#values.object(value, pointer);
    const type = this.#values.optionalText(message, 'messageType', pointer) ?? '';
    const layout = layoutOf(type);
    if (layout === undefined) throw this.#values.refuse(pointerTo(pointer, 'messageType'), 'no type of message that is written');
    const ownKeys = layout.isStatement ? statementKeys : new Set(['fields']);
    this.#values.onlyKeys(
      message,
      (key) => key === 'messageType' || (headerKeys as readonly string[]).includes(key) || ownKeys.has(key),
      pointer,
    );
    const fields = layout.isStatement ? this.#statements.of(type, message, pointer) : this.#payments.of(message, pointer);
    const headers = this.#headers(message, type, pointer);
    this.#checkBegin(fields, headers !== null, pointer);
    this.#recentFields = [this.#recentFields[1], fields.length + 2];
    if (headers === null) {
      this.#checkType(type, fields, pointer);
      this.#writeFields(fields);
      this.#writeLine('-', pointer);
      return;
    }
    const { basicHeader, applicationHeader, userHeader, trailer } = headers;
    const blocks = [basicHeader, applicationHeader, userHeader].map((content, index) =>
      content === null ? '' : `{${index + 1}:${content}}`,
    );
    this.#writeLine(`${blocks.join('')}{4:`, pointer);
    this.#writeFields(fields);
    this.#writeLine(`-}${trailer === null ? '' : `{5:${trailer}}`}`, pointer);
  }

  /** Null: the message has none, so that it is its text alone. */
  #headers(message: JsonMembers, type: string, pointer: string): Headers | null {
    const headers = Object.fromEntries(headerKeys.map((key) => [key, this.#values.optionalText(message, key, pointer)])) as Headers;
    if (headerKeys.every((key) => headers[key] === null)) return null;
    for (const key of headerKeys) {
      const isNested = key === 'userHeader' || key === 'trailer';
      if (headers[key] !== null && !isBlockContent(headers[key], isNested))
        throw this.#values.refuse(
          pointerTo(pointer, key),
          'the content of a block is of ASCII in one line, with braces only in pairs where blocks are in it',
        );
    }
    const announced = headers.applicationHeader?.slice(1, 4);
    if (announced !== undefined && announced !== type)
      throw this.#values.refuse(pointerTo(pointer, 'applicationHeader'), `it is not that of a message of type ${type}`);
    return headers;
  }

  /** What would be read as a part of the message before, or as several messages. */
  #checkBegin(fields: readonly WrittenField[], hasHeaders: boolean, pointer: string): void {
    if (fields.length === 0) throw this.#values.refuse(pointer, 'the message has no fields');
    if (!hasHeaders && fields.filter(({ tag }) => tag === '20').length > 1)
      throw this.#values.refuse(pointer, 'without headers a second field 20 begins another message');
    this.#hasHeaders ??= hasHeaders;
    if (this.#hasHeaders !== hasHeaders) throw this.#values.refuse(pointer, 'messages with headers and without are not in one file');
  }

  /** Whether a text alone is read as the type that it is of. */
  #checkType(type: string, fields: readonly WrittenField[], pointer: string): void {
    const read = this.#settings.messageType ?? typeOfTags(fields.map(({ tag }) => tag));
    if (read === type) return;
    throw this.#values.refuse(
      pointerTo(pointer, 'messageType'),
      `without headers the message would be read as MT ${read}; give basicHeader and applicationHeader, or the setting messageType=${type}`,
    );
  }

  #writeFields(fields: readonly WrittenField[]): void {
    for (const { tag, value, pointer } of fields) this.#writeLine(`:${tag}:${value}`, pointer);
  }

  #writeLine(text: string, pointer: string): void {
    const lines = text.split('\n');
    this.#places.add(pointer, lines.length);
    this.#output.write(lines.join(this.#lineEnd) + this.#lineEnd);
  }

  #pointerOf({ line, rule }: PackFinding): string {
    const pointer = this.#places.pointerOf(line);
    if (rule === 'basic-header') return pointerTo(pointer, 'basicHeader');
    return rule === 'application-header' ? pointerTo(pointer, 'applicationHeader') : pointer;
  }
}

function isBlockContent(content: string, isNested: boolean): boolean {
  if (!/^[\x20-\x7e]*$/.test(content)) return false;
  return isNested ? /^[^{}]*(?:\{[^{}]*\}[^{}]*)*$/.test(content) : !/[{}]/.test(content);
}
