/**
 * Puts the fields of one message together: holds each against its form and its place in the layout of the type, and hands
 * it to what reads statements or payments. Where a message does not say its type, its first fields do.
 */
import type { PhysicalLine } from '../statements/physical-lines.ts';
import type { Place } from '../statements/rule-findings.ts';
import { characterSetOf, formatOf, hasForm } from './field-formats.ts';
import { FieldText, fieldBytesMax } from './field-text.ts';
import type { MessageEvents, MessageHeaders } from './message-blocks.ts';
import { malformedUserField, variantOf } from './message-headers.ts';
import { type FieldStep, layoutOf, type MessageLayout } from './message-layouts.ts';
import { MessageOrder, type Placement } from './message-order.ts';
import type { MessageContext, MessageReader } from './message-reader.ts';
import { PaymentMessage } from './payment-message.ts';
import type { PaymentType } from './payment-rules.ts';
import { StatementMessage } from './statement-message.ts';
import { StatementPages } from './statement-pages.ts';
import type { SwiftSettings } from './swift-findings.ts';
import { guessedTagsMax, guessedType, typeFrom } from './type-guess.ts';

const lineFeed = 10;
const space = 32;
const tab = 9;
const colon = 58;
const hyphen = 45;
const deletion = 127;
const references: ReadonlySet<string> = new Set(['20', '21', '21F', '21R']);
/** Holds what another standard says, line by line. */
const envelope = '77T';
/** Fields of statements that only name something. */
const identifying: ReadonlySet<string> = new Set(['20', '21', '25', '25P', '28', '28C']);

export class MessageAssembly implements MessageEvents {
  readonly #settings: Pick<SwiftSettings, 'messageType' | 'messages'>;
  readonly #context: MessageContext;
  readonly #pages = new StatementPages();
  readonly #field = new FieldText();
  #hasField = false;
  #layout: MessageLayout | null = null;
  #order: MessageOrder | null = null;
  #message: MessageReader | null = null;
  #headers: MessageHeaders | null = null;
  /** Tags that came before the type was known; null once it is. */
  #early: string[] | null = null;
  /** Their fields. */
  #held: FieldText[] = [];
  messages = 0;

  constructor(settings: Pick<SwiftSettings, 'messageType' | 'messages'>, context: MessageContext) {
    this.#settings = settings;
    this.#context = context;
  }

  beginMessage(headers: MessageHeaders, place: Place): void {
    this.messages++;
    this.#headers = headers;
    this.#early = [];
    this.#held = [];
    const type = headers.type ?? this.#settings.messageType;
    if (type !== null) this.#settle(type, place);
  }

  /** From here on the type of the message is known; fields that came before take their places. */
  #settle(type: string, place: Place): void {
    const { findings, document } = this.#context;
    const layout = layoutOf(type, variantOf(this.#headers!));
    this.#layout = layout ?? null;
    findings.messageType = type;
    findings.isStatement = layout?.isStatement ?? false;
    findings.hasBlocks = this.#headers!.hasBlocks;
    document.openMessage({ messageType: type, ...this.#headerValues() });
    const malformed = malformedUserField(this.#headers!);
    if (malformed !== null) findings.tell('user-header', place, malformed, `field ${malformed} of block 3 does not have its form`);
    if (layout === undefined) findings.tell('message-type', place, null, `messages of type ${type} are not read`);
    else if (this.#isOfKind(layout)) this.#open(type, layout);
    else
      findings.tell(
        'message-kind',
        place,
        null,
        `a message of type ${type} is none of the ${this.#settings.messages} that the file may have`,
      );
    this.#early = null;
    for (const field of this.#held) this.#readField(field);
    this.#held = [];
  }

  #isOfKind({ isStatement }: MessageLayout): boolean {
    const { messages } = this.#settings;
    return messages === 'any' || isStatement === (messages === 'statements');
  }

  #open(type: string, layout: MessageLayout): void {
    this.#order = new MessageOrder(layout);
    this.#message = layout.isStatement
      ? new StatementMessage(type, this.#pages, this.#context)
      : new PaymentMessage(type as PaymentType, this.#headers!, this.#context);
  }

  #headerValues(): Record<string, string> {
    const { basicHeader, applicationHeader, userHeader } = this.#headers!;
    const values = { basicHeader, applicationHeader, userHeader };
    return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as Record<string, string>;
  }

  takeField(tag: string, line: PhysicalLine, from: number): void {
    this.#finishField();
    this.#hasField = true;
    this.#field.begin(tag, line, from);
  }

  /** In information, what looks like a tag that the message does not have is text, such as a time at the begin of a line. */
  isField(tag: string): boolean {
    if (!this.#hasField || this.#field.tag !== '86' || !/^\d\d$/.test(tag)) return true;
    return this.#layout === null || this.#layout.tags.has(tag);
  }

  continueField(line: PhysicalLine): void {
    if (this.#hasField) this.#field.continueWith(line);
  }

  #finishField(): void {
    if (!this.#hasField) return;
    this.#hasField = false;
    const field = this.#field;
    if (this.#early === null) {
      this.#readField(field);
      return;
    }
    const place = field.place();
    this.#early.push(field.tag);
    const type = typeFrom(this.#early);
    if (type !== null) {
      this.#settle(type, place);
      this.#readField(field);
    } else {
      this.#held.push(field.copy());
      if (this.#held.length >= guessedTagsMax) this.#settle(guessedType, place);
    }
  }

  /** Whether the line is one of the field that is read next. */
  holds({ line }: PhysicalLine): boolean {
    return this.#hasField && this.#field.lastLine === line;
  }

  #readField(field: FieldText): void {
    if (this.#order === null || this.#message === null) {
      this.#tellCutLine(field);
      return;
    }
    const { isStatement } = this.#context.findings;
    const placement = this.#order.take(field.tag);
    // As where a message ends: what a statement lacks is no error of an entry.
    if (isStatement) this.#message.leave(field.tag);
    this.#tellMissing(field, this.#order.missing);
    if (!isStatement) this.#message.leave(field.tag);
    this.#message.enter(field);
    this.#tellCutLine(field);
    this.#checkPlace(field, placement);
    this.#checkText(field);
    this.#message.take(field);
  }

  #tellCutLine({ cutLine }: FieldText): void {
    if (cutLine !== null) this.#context.findings.tellCutLine(cutLine);
  }

  #tellMissing(field: FieldText, missing: readonly FieldStep[]): void {
    const { findings } = this.#context;
    for (const step of missing) {
      // Some banks say first what is to be known of the account.
      if (findings.isStatement && field.tag === '86' && step.tags.includes('61'))
        findings.tell('field-order', field.place(), '86', 'the information comes before the first entry', 'warn');
      else findings.tell('field-missing', field.place(), tagOf(step), `the field ${tagOf(step)} is missing before this one`);
    }
  }

  #checkPlace(field: FieldText, placement: Placement): void {
    const { findings } = this.#context;
    const { tag } = field;
    if (placement === 'unknown') {
      // Texts that banks hand out have tags of their own; messages of the network only those without digits.
      const isOfBank = findings.isStatement && (!this.#headers!.hasBlocks || tag === 'NS');
      findings.tell('field-unknown', field.place(), tag, `the message has no field ${tag}`, isOfBank ? 'warn' : undefined);
    }
    if (placement === 'out of order') findings.tell('field-order', field.place(), tag, `the field ${tag} is not in its place`);
    if (placement === 'repeated') {
      // Banks cut long information into several fields 86.
      const severity = tag === '86' && findings.isStatement ? 'warn' : undefined;
      findings.tell('field-repeated', field.place(), tag, `the field ${tag} is repeated`, severity);
    }
    if (tag === '28' && findings.messageType !== '941' && placement === 'fits') {
      findings.tell('field-variant', field.place(), tag, 'field 28 stands for 28C');
    }
  }

  #checkText(field: FieldText): void {
    const { findings } = this.#context;
    const { tag } = field;
    if (field.isTooLong) {
      findings.tell('field-size', field.place(), tag, `the field is longer than ${fieldBytesMax} bytes; its end is not read`);
      return;
    }
    this.#checkCharacters(field);
    if (tag !== envelope) this.#checkLineBegins(field);
    const format = formatOf(tag);
    if (format === undefined) return;
    const text = field.latin1();
    if (!hasForm(tag, text)) {
      const severity = findings.isStatement && identifying.has(tag) ? 'warn' : undefined;
      findings.tell('field-format', field.place(), tag, `the field is not ${format.replaceAll('$', ' and a line of ')}`, severity);
    } else if (references.has(tag) && (text.startsWith('/') || text.endsWith('/') || text.includes('//'))) {
      findings.tell('reference-slash', field.place(), tag, 'the reference begins or ends with a slash, or has two in a row');
    }
  }

  #checkLineBegins(field: FieldText): void {
    for (let index = 1; index < field.lineCount; index++) {
      const at = field.lineStart(index);
      const byte = field.bytes[at];
      if (at >= field.lineEnd(index) || (byte !== colon && byte !== hyphen)) continue;
      const sign = byte === colon ? 'colon' : 'hyphen';
      this.#context.findings.tell('line-begin', field.place(at, at + 1), field.tag, `a line of the field begins with a ${sign}`);
      return;
    }
  }

  #checkCharacters(field: FieldText): void {
    const { bytes, length, tag } = field;
    const set = characterSetOf(tag);
    let foreign = -1;
    for (let at = 0; at < length; at++) {
      const byte = bytes[at]!;
      if (set[byte] === 1) continue;
      if ((byte < space && byte !== lineFeed && byte !== tab) || byte === deletion) {
        this.#context.findings.tell('control-character', field.place(at, at + 1), tag, `the field holds the control character ${byte}`);
        return;
      }
      if (foreign < 0) foreign = at;
    }
    if (foreign < 0) return;
    this.#context.findings.tell(
      'character-set',
      field.place(foreign, foreign + 1),
      tag,
      `the byte ${bytes[foreign]} is not of the character set`,
    );
  }

  endMessage(place: Place, isCutShort: boolean): void {
    this.#finishField();
    const { findings } = this.#context;
    if (this.#early !== null) this.#settle(guessedType, place);
    // What a statement lacks is no error of its last entry; what a payment lacks is one of it.
    if (findings.isStatement) this.#message?.end();
    for (const step of this.#order?.end() ?? []) findings.tell('field-missing', place, tagOf(step), `the field ${tagOf(step)} is missing`);
    // Of a text with many payments, more of them may have followed where it was cut: that is no error of the last one.
    const isOfMany = findings.messageType === '101';
    if (!findings.isStatement && isOfMany) this.#message?.end();
    if (isCutShort) findings.tell('text-end', place, null, 'the text does not end with a hyphen and a brace');
    if (!findings.isStatement && !isOfMany) this.#message?.end();
    this.#message = null;
    this.#order = null;
    findings.messageType = null;
    findings.isStatement = false;
  }

  takeTrailer(content: string): void {
    this.#context.document.value('trailer', content);
  }
}

const tagOf = ({ tags }: FieldStep): string => tags.join('|');
