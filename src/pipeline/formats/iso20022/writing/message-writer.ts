/**
 * Writes a message from the document that `--parse` prints: UTF-8, without an envelope. The file is read back while it is written,
 * so that whatever the reader would refuse is refused with its place in the document.
 */
import { DocumentStream, type JsonValue, type PartKey, type PartTaker } from '../../documents/document-stream.ts';
import type { PackDocumentWriter, PackFileSink, PackSettings, PackWritten } from '../../pack.ts';
import type { PackFinding } from '../../pack-finding.ts';
import { CheckedOutput } from '../../writing/checked-output.ts';
import { DocumentValues } from '../../writing/document-values.ts';
import { type MessageDefinition, messages, namespacePrefix } from '../definitions/messages.ts';
import { iso20022Errors } from '../iso20022-errors.ts';
import { Iso20022Reader } from '../iso20022-reader.ts';
import { familyOf } from '../rules/families.ts';
import { compileMessage } from '../schema/compiled-types.ts';
import { ElementText, indentation } from './element-text.ts';
import { HeldText } from './held-text.ts';
import { ElementParts, type MessageParts } from './message-parts.ts';
import { TransferTotals } from './transfer-totals.ts';

const namespacePointer = '/Document/@xmlns';

export class MessageWriter implements PackDocumentWriter {
  readonly #values = new DocumentValues(iso20022Errors.E_ISO20022_DOCUMENT);
  readonly #output: CheckedOutput;
  readonly #text: HeldText;
  readonly #parts: MessageParts;
  readonly #stream: DocumentStream;
  #message: MessageDefinition | null = null;
  #hasDocument = false;

  constructor(settings: PackSettings, sink: PackFileSink) {
    this.#output = new CheckedOutput({
      createReader: (readerSink) => new Iso20022Reader(settings, readerSink),
      code: iso20022Errors.E_ISO20022_DOCUMENT,
      pointerOf,
      bytes: (piece) => sink.bytes(piece),
    });
    this.#text = new HeldText((text) => this.#output.write(text));
    const totals = new TransferTotals(this.#values, this.#text);
    const parts = { values: this.#values, text: this.#text, totals };
    this.#parts = { ...parts, elements: new ElementText(parts) };
    this.#stream = new DocumentStream({
      open: (_, kind) => (kind === 'object' ? this.#whole() : null),
      take: (_, value) => void this.#values.object(value, ''),
    });
  }

  push(bytes: Uint8Array): void {
    this.#stream.push(bytes);
  }

  end(): PackWritten {
    this.#stream.end();
    if (!this.#hasDocument) throw this.#values.refuse('/Document', 'it is missing');
    return this.#output.end();
  }

  #whole(): PartTaker {
    return {
      open: (key, kind) => {
        if (key === 'Document') return kind === 'object' ? this.#document() : null;
        return null;
      },
      take: (key, value) => {
        if (key === 'message') this.#announce(this.#named(this.#values.text(value, '/message')), '/message');
        else if (key === 'Document') this.#values.object(value, '/Document');
        else throw this.#values.unknownKey(key, '');
      },
      close: () => {},
    };
  }

  #document(): PartTaker {
    return {
      open: (key, kind) => (kind === 'object' ? this.#content(key) : null),
      take: (key, value) => this.#takeNamespace(key, value),
      close: () => this.#closeDocument(),
    };
  }

  #takeNamespace(key: PartKey, value: JsonValue): void {
    if (key !== '@xmlns') {
      this.#content(key);
      return;
    }
    const text = this.#values.text(value, namespacePointer);
    const found = messages.find(({ name }) => text === namespacePrefix + name);
    if (found === undefined) throw this.#values.refuse(namespacePointer, `no namespace of a message that is written; ${written()}`);
    this.#announce(found, namespacePointer);
  }

  #named(name: string): MessageDefinition {
    const found = messages.find((each) => each.name === name);
    if (found === undefined) throw this.#values.refuse('/message', `no message that is written; ${written()}`);
    return found;
  }

  #announce(message: MessageDefinition, pointer: string): void {
    if (this.#message !== null && this.#message !== message)
      throw this.#values.refuse(pointer, `the document is one of ${this.#message.name}, and here of ${message.name}`);
    this.#message = message;
  }

  /** Begins the message, whose element has the key. */
  #content(key: PartKey): PartTaker {
    if (this.#message === null) throw this.#values.refuse('/Document', 'the message, or @xmlns, has to come before the content');
    if (key !== this.#message.tag) throw this.#values.unknownKey(key, '/Document');
    if (this.#hasDocument) throw this.#values.refuse('/Document', 'the content is there twice');
    this.#hasDocument = true;
    this.#text.write(`<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="${namespacePrefix}${this.#message.name}">\n`);
    const root = compileMessage(this.#message, familyOf(this.#message.name).roles);
    return new ElementParts(this.#parts, root, `/Document/${root.tag}`, indentation);
  }

  #closeDocument(): void {
    if (!this.#hasDocument) throw this.#values.refuse('/Document', 'the element of the message is missing');
    this.#parts.totals.closeMessage();
    this.#text.write('</Document>\n');
  }
}

/** Elements that may be repeated have their number in the path of a finding, and are lists in the document. */
function pointerOf({ path }: PackFinding): string {
  return (path ?? '').replaceAll(/\[(\d+)\]/g, (_, position: string) => `/${Number(position) - 1}`);
}

function written(): string {
  return `there are ${messages.map(({ name }) => name).join(', ')}`;
}
