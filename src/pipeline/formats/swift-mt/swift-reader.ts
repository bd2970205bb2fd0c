/**
 * Reads a file of SWIFT MT messages. Lines become blocks and fields, fields become messages, and those what the receipt
 * and the document say.
 */
import type { PackReader, PackSink, PackSummary } from '../pack.ts';
import { type PhysicalLine, PhysicalLines } from '../statements/physical-lines.ts';
import { FileTotals } from './file-totals.ts';
import { MessageAssembly } from './message-assembly.ts';
import { MessageBlocks } from './message-blocks.ts';
import { SwiftDocument } from './swift-document.ts';
import { SwiftFindings, type SwiftSettings } from './swift-findings.ts';

const lineBytesMax = 32_768;

export class SwiftReader implements PackReader {
  readonly #findings: SwiftFindings;
  readonly #totals = new FileTotals();
  readonly #document: SwiftDocument;
  readonly #lines: PhysicalLines;
  readonly #blocks: MessageBlocks;
  readonly #assembly: MessageAssembly;
  #isForeign = false;

  constructor(settings: SwiftSettings, sink: PackSink) {
    this.#findings = new SwiftFindings(settings, sink);
    this.#document = new SwiftDocument(sink.parsed);
    this.#assembly = new MessageAssembly(settings.messageType, {
      findings: this.#findings,
      totals: this.#totals,
      document: this.#document,
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
      this.#tellLine('encoding', line, 'the file is in UTF-16 or UTF-32; it is not read');
    }
    if (this.#isForeign) return;
    if (line.isCut) this.#tellLine('line-size', line, `the line is longer than ${lineBytesMax} bytes; its end is not read`);
    this.#blocks.take(line);
  }

  #tellLine(rule: 'encoding' | 'line-size', { line, offset }: PhysicalLine, message: string): void {
    this.#findings.tell(rule, { line, columns: null, offset }, null, message);
  }
}

/** A byte order mark of UTF-16 or UTF-32, or a NUL among the first two bytes. */
function isForeign({ bytes, start, end }: PhysicalLine): boolean {
  if (end - start < 2) return false;
  const [first, second] = [bytes[start]!, bytes[start + 1]!];
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0;
}
