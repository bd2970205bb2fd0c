/**
 * Reads a file of SWIFT MT messages. Lines become blocks and fields, fields become messages, and those what the receipt
 * and the document say.
 */
import type { PackReader, PackSink, PackSummary } from '../pack.ts';
import { type PhysicalLine, PhysicalLines } from '../statements/physical-lines.ts';
import type { Place } from '../statements/rule-findings.ts';
import { EntryLines } from './entry-lines.ts';
import { FileTotals } from './file-totals.ts';
import { MessageAssembly } from './message-assembly.ts';
import { MessageBlocks } from './message-blocks.ts';
import { PaymentLines } from './payment-lines.ts';
import { SwiftDocument } from './swift-document.ts';
import { lineBytesMax, SwiftFindings, type SwiftSettings } from './swift-findings.ts';

export class SwiftReader implements PackReader {
  readonly #findings: SwiftFindings;
  readonly #totals = new FileTotals();
  readonly #document: SwiftDocument;
  readonly #entryLines: EntryLines | null;
  readonly #paymentLines: PaymentLines | null;
  readonly #lines: PhysicalLines;
  readonly #blocks: MessageBlocks;
  readonly #assembly: MessageAssembly;
  #isForeign = false;
  #last = { line: 1, offset: 0 };

  constructor(settings: SwiftSettings, sink: PackSink) {
    this.#findings = new SwiftFindings(settings, sink);
    this.#document = new SwiftDocument(sink.parsed);
    this.#entryLines = sink.lines === undefined || settings.messages !== 'statements' ? null : new EntryLines(sink.lines);
    this.#paymentLines = sink.lines === undefined || settings.messages !== 'payments' ? null : new PaymentLines(sink.lines);
    this.#assembly = new MessageAssembly(settings, {
      findings: this.#findings,
      totals: this.#totals,
      document: this.#document,
      entryLines: this.#entryLines,
      paymentLines: this.#paymentLines,
    });
    this.#blocks = new MessageBlocks(this.#findings, this.#assembly);
    this.#lines = new PhysicalLines({ lineBytesMax, onLine: (line) => this.#takeLine(line) });
  }

  push(bytes: Uint8Array): void {
    this.#lines.push(bytes);
  }

  end(): PackSummary {
    const totals = this.#totals;
    this.#lines.end();
    if (!this.#isForeign) this.#endMessages();
    this.#document.end();
    this.#entryLines?.trailer(this.#last, this.#assembly.messages);
    this.#paymentLines?.trailer(this.#last, this.#assembly.messages);
    return {
      records: { read: totals.read, rejected: totals.rejected },
      amounts: totals.amounts(),
      controlTotals: {
        declared: totals.closingBalances('declared'),
        computed: totals.closingBalances('computed'),
        balanced: this.#findings.unbalanced === 0,
      },
      details: { messages: Object.fromEntries(totals.messages) },
    };
  }

  #endMessages(): void {
    this.#blocks.end();
    if (this.#assembly.messages > 0) return;
    this.#findings.tell('no-messages', { line: 1, columns: null, offset: 0 }, null, 'the file has no messages');
  }

  #takeLine(line: PhysicalLine): void {
    if (line.line === 1 && isForeign(line)) {
      this.#isForeign = true;
      this.#findings.tell('encoding', placeOf(line), null, 'the file is in UTF-16 or UTF-32; it is not read');
    }
    if (this.#isForeign) return;
    this.#last.line = line.line;
    this.#last.offset = line.offset;
    this.#blocks.take(line);
    if (line.isCut && !this.#assembly.holds(line)) this.#findings.tellCutLine(placeOf(line));
  }
}

function placeOf({ line, offset }: PhysicalLine): Place {
  return { line, columns: null, offset };
}

/** A byte order mark of UTF-16 or UTF-32, or a NUL among the first two bytes. */
function isForeign({ bytes, start, end }: PhysicalLine): boolean {
  if (end - start < 2) return false;
  const [first, second] = [bytes[start]!, bytes[start + 1]!];
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0;
}
