/**
 * Finds messages in lines: blocks 1, 2, 3 and 5 in braces and the text in block 4; or text alone, as banks give it to
 * their customers, from its first tag to a line with a hyphen or to the next field 20. Between messages it passes over the
 * signs with which files mark their ends, and says what else is there.
 */
import type { PhysicalLine } from '../statements/physical-lines.ts';
import type { Place } from '../statements/rule-findings.ts';
import type { SwiftFindings } from './swift-findings.ts';
import type { SwiftRule } from './swift-rules.ts';

const openBrace = 123;
const closeBrace = 125;
const colon = 58;
const hyphen = 45;

/** Of files that hold several messages: SOH and ETX around each, or a dollar sign between them. */
const separators: ReadonlySet<number> = new Set([1, 3, 9, 26, 32, 36]);

export interface MessageEvents {
  /** `type` is what the blocks or lines before the text say; null: nothing does. */
  beginMessage(headers: MessageHeaders, place: Place): void;
  takeField(tag: string, line: PhysicalLine, from: number): void;
  isField(tag: string): boolean;
  continueField(line: PhysicalLine): void;
  /** `place` is that of the end; `isCutShort`: nothing ended the text. */
  endMessage(place: Place, isCutShort: boolean): void;
  takeTrailer(content: string): void;
}

export interface MessageHeaders {
  readonly type: string | null;
  readonly hasBlocks: boolean;
  readonly basicHeader: string | null;
  readonly applicationHeader: string | null;
  readonly userHeader: string | null;
}

const input = /^I(\d{3})[A-Z0-9]{12}[SUN]?[1-3]?(?:\d{3})?$/;
const time = '(?:[01]\\d|2[0-3])[0-5]\\d';
const day = '\\d\\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])';
const output = new RegExp(`^O(\\d{3})${time}${day}[A-Z0-9]{12}\\d{10}${day}${time}[SUN]?$`);
/** Of statements, as some banks write it: without times and the message that it is an output of. */
const shortOutput = /^O9(?:4[0-2]|50)[A-Z0-9]{12}[SUN]?$/;
/** `ä4:` and `-å`, in ISO 8859-1 or in UTF-8, of which each byte is a character here. */
const swedishBegin = /^(?:\u00e4|\u00c3\u00a4)4:\s*$/;
const swedishEnd = /^-(?:\u00e5|\u00c3\u00a5)\s*$/;
const blockList = /^(?:\{[A-Z0-9]{3}:[^{}]*\})*$/;
const basic = /^[AFL]\d{2}[A-Z0-9]{12}\d{4}\d{6}$/;

export class MessageBlocks {
  readonly #findings: SwiftFindings;
  readonly #events: MessageEvents;
  /** By number: blocks 1, 2, 3 of the message that has not begun yet, or 5 of the one before. */
  #blocks = new Map<number, string>();
  #lastBlock = 0;
  #isInText = false;
  #hasBlocks = false;
  #hasField20 = false;
  #hasFields = false;
  /** Said by a line before the text. */
  #hint: string | null = null;
  /** The braces around block 4 stand as the Swedish letters that the same bytes are in ISO 646-SE. */
  #isSwedish = false;
  #isEnvelopeTold = false;
  #isNetworkTold = false;
  #isBlank = true;
  #last: Place = { line: 1, columns: null, offset: 0 };

  constructor(findings: SwiftFindings, events: MessageEvents) {
    this.#findings = findings;
    this.#events = events;
  }

  take(line: PhysicalLine): void {
    this.#last = { line: line.line, columns: null, offset: line.offset };
    if (this.#isInText) this.#takeText(line, line.start);
    else this.#takeOutside(line, line.start);
  }

  end(): void {
    if (this.#isInText) this.#endText(false);
    else if (this.#blocks.size > 0 && this.#lastBlock < 4) this.#tell('block-order', 'the file ends before the text of a message');
  }

  #takeOutside(line: PhysicalLine, at: number): void {
    const { bytes, end } = line;
    while (at < end) {
      if (separators.has(bytes[at]!)) at++;
      else if (bytes[at] === openBrace) {
        const next = this.#takeBlock(line, at);
        if (next === null || this.#isInText) return;
        at = next;
      } else if (bytes[at] === colon && tagEnd(line, at) > 0) {
        const tagStop = tagEnd(line, at);
        if (isType(bytes.toString('latin1', at + 1, tagStop))) this.#takeType(line, at + 1, tagStop);
        else {
          this.#beginText(false);
          this.#takeText(line, at);
        }
        return;
      } else {
        this.#takeEnvelope(line, at);
        return;
      }
    }
  }

  /** Gives where the block ends; null where the rest of the line is of no use. */
  #takeBlock(line: PhysicalLine, at: number): number | null {
    const { bytes, end } = line;
    if (isLetter(bytes[at + 1]) && at + 2 < end && bytes[at + 2] === colon) return this.#passBlock(line, at);
    const number = bytes[at + 1]! - 48;
    if (at + 2 >= end || !(number >= 1 && number <= 5) || bytes[at + 2] !== colon) {
      this.#tell('block-syntax', 'a brace begins no block');
      return null;
    }
    if (number !== 5 && this.#lastBlock >= 4) this.#forget();
    if (number <= this.#lastBlock || (number === 5 && this.#lastBlock !== 4)) this.#tell('block-order', `block ${number} is out of order`);
    this.#lastBlock = number;
    if (number === 4 && this.#isOfNetwork && bytes[at + 3] === openBrace) return this.#passMessage(line, at);
    if (number === 4) {
      this.#beginText(true);
      if (at + 3 < end) this.#takeText(line, at + 3);
      return null;
    }
    const close = matchingBrace(line, at);
    if (close < 0) {
      this.#tell('block-syntax', `block ${number} does not end in its line`);
      return null;
    }
    const content = bytes.toString('latin1', at + 3, close);
    this.#checkBlock(number, content);
    if (number === 5) this.#events.takeTrailer(content);
    else this.#blocks.set(number, content);
    return close + 1;
  }

  /** A block that programs put behind a message for themselves, such as `{S:{SAC:}{COP:P}}`. */
  #passBlock(line: PhysicalLine, at: number): number | null {
    const close = matchingBrace(line, at);
    if (close >= 0 && blockList.test(line.bytes.toString('latin1', at + 3, close))) return close + 1;
    this.#tell('block-syntax', 'a block of a letter does not end in its line, or is not made of blocks with a tag of three characters');
    return null;
  }

  /** A service other than 01 in block 1, and no block 2: an acknowledgement, for one. */
  get #isOfNetwork(): boolean {
    return !this.#blocks.has(2) && (this.#blocks.get(1) ?? '').slice(1, 3) !== '01' && this.#blocks.has(1);
  }

  /** Of the network, which has blocks in block 4 in place of a text. */
  #passMessage(line: PhysicalLine, at: number): number | null {
    const close = matchingBrace(line, at);
    if (close < 0) {
      this.#tell('block-syntax', 'block 4 does not end in its line');
      return null;
    }
    if (!this.#isNetworkTold) this.#tell('network-message', 'the message is of the network; it and its like are passed over');
    this.#isNetworkTold = true;
    this.#forget();
    return close + 1;
  }

  #checkBlock(number: number, content: string): void {
    if (number === 1 && !basic.test(content)) this.#tell('basic-header', 'the basic header does not have its form');
    if (number === 2 && !input.test(content) && !output.test(content))
      this.#tell('application-header', 'the application header does not have its form', shortOutput.test(content) ? 'warn' : undefined);
    if ((number === 3 || number === 5) && !blockList.test(content)) {
      this.#tell('block-syntax', `block ${number} is not made of blocks with a tag of three characters`);
    }
  }

  /** Lines of banks' own around a message; some say its type. */
  #takeEnvelope({ bytes, end }: PhysicalLine, at: number): void {
    const text = bytes.toString('latin1', at, end);
    if (/[{}]/.test(text)) {
      this.#tell('block-syntax', 'a brace is in its line without its block');
      return;
    }
    const type = /^(?:MT)?(\d{3})(?: 00)?$/.exec(text.trim());
    if (type) this.#hint = type[1]!;
    this.#isSwedish = swedishBegin.test(text);
    this.#tellEnvelope();
  }

  #tellEnvelope(): void {
    if (!this.#isEnvelopeTold) this.#tell('envelope-line', 'the line is of no message; it and its like are passed over');
    this.#isEnvelopeTold = true;
  }

  /** `:940:` before the first field of a message. */
  #takeType(line: PhysicalLine, from: number, to: number): void {
    this.#hint = line.bytes.toString('latin1', from, to);
    if (!this.#isBlankFrom(line, to + 1)) this.#tellEnvelope();
  }

  #beginText(hasBlocks: boolean): void {
    if (hasBlocks && !(this.#blocks.has(1) && this.#blocks.has(2)) && this.#blocks.size > 0) {
      this.#tell('block-order', 'a text follows without blocks 1 and 2');
    }
    const application = this.#blocks.get(2) ?? null;
    this.#isInText = true;
    this.#hasBlocks = hasBlocks;
    this.#hasField20 = false;
    this.#hasFields = false;
    this.#events.beginMessage(
      {
        type: application === null ? this.#hint : (/^[IO](\d{3})/.exec(application)?.[1] ?? null),
        hasBlocks,
        basicHeader: this.#blocks.get(1) ?? null,
        applicationHeader: application,
        userHeader: this.#blocks.get(3) ?? null,
      },
      this.#last,
    );
  }

  #takeText(line: PhysicalLine, at: number): void {
    const { bytes, end } = line;
    if (at >= end) return;
    if (bytes[at] === hyphen && (isEnd(line, at) || (this.#isSwedish && isSwedishEnd(line, at)))) {
      const isBraced = at + 1 < end && bytes[at + 1] === closeBrace;
      this.#endText(isBraced);
      if (isBraced && at + 2 < end) this.#takeOutside(line, at + 2);
      return;
    }
    if (this.#hasBlocks && bytes[at] === openBrace && at + 2 < end && bytes[at + 1] === 49 && bytes[at + 2] === colon) {
      this.#endText(false);
      this.#takeOutside(line, at);
      return;
    }
    const tagStop = bytes[at] === colon ? tagEnd(line, at) : 0;
    const tag = tagStop === 0 ? '' : bytes.toString('latin1', at + 1, tagStop);
    if (tagStop === 0 || !this.#events.isField(tag)) {
      if (!this.#isBlankFrom(line, at)) {
        if (this.#hasFields) this.#events.continueField(line);
        else this.#tell('block-syntax', 'the text does not begin with a field');
      }
      return;
    }
    this.#takeField(tag, line, tagStop + 1);
  }

  #takeField(tag: string, line: PhysicalLine, from: number): void {
    const begins = !this.#hasBlocks && this.#hasFields && (isType(tag) || (tag === '20' && this.#hasField20));
    if (begins) this.#endText(true);
    if (isType(tag) && (begins || !this.#hasFields)) {
      this.#takeType(line, from - 1 - tag.length, from - 1);
      return;
    }
    if (begins) this.#beginText(false);
    if (tag === '20') this.#hasField20 = true;
    this.#hasFields = true;
    this.#events.takeField(tag, line, from);
  }

  #isBlankFrom({ bytes, end }: PhysicalLine, at: number): boolean {
    this.#isBlank = true;
    for (; at < end && this.#isBlank; at++) this.#isBlank = bytes[at] === 32 || bytes[at] === 26 || bytes[at] === 9;
    return this.#isBlank;
  }

  #endText(isEnded: boolean): void {
    this.#isInText = false;
    this.#events.endMessage(this.#last, this.#hasBlocks && !isEnded);
    if (!this.#hasBlocks) this.#forget();
  }

  #forget(): void {
    this.#blocks = new Map();
    this.#lastBlock = 0;
  }

  #tell(rule: SwiftRule, message: string, dialect?: 'warn'): void {
    this.#findings.tell(rule, this.#last, null, message, dialect);
  }
}

const isType = (tag: string): boolean => /^\d{3}$/.test(tag);

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 65 && byte <= 90;
}

/** The position of the colon that ends a tag; 0 where there is no tag. */
function tagEnd({ bytes, end }: PhysicalLine, at: number): number {
  for (let stop = at + 3; stop <= at + 4 && stop < end; stop++) {
    if (bytes[stop] !== colon) continue;
    const tag = bytes.toString('latin1', at + 1, stop);
    return /^(?:\d\d[A-Z]?|\d{3}|NS)$/.test(tag) ? stop : 0;
  }
  return 0;
}

/** `-`, `-}` and what follows, and `-XXX`, with which some banks end a file. */
function isEnd({ bytes, end }: PhysicalLine, at: number): boolean {
  if (at + 1 === end || bytes[at + 1] === closeBrace) return true;
  return /^-(?:XXX)?\s*$/.test(bytes.toString('latin1', at, Math.min(end, at + 12)));
}

function isSwedishEnd({ bytes, end }: PhysicalLine, at: number): boolean {
  return swedishEnd.test(bytes.toString('latin1', at, Math.min(end, at + 12)));
}

function matchingBrace({ bytes, end }: PhysicalLine, at: number): number {
  let depth = 0;
  for (; at < end; at++) {
    if (bytes[at] === openBrace) depth++;
    else if (bytes[at] === closeBrace && --depth === 0) return at;
  }
  return -1;
}
