/**
 * Unpacks a tar archive as it comes. It must be whole: every entry to its last block, two blocks of zeros at the end, and nothing
 * but zeros behind them.
 */
import type { ByteStep } from './byte-step.ts';
import { nameOfMember } from './member-path.ts';
import { assertHarmless, blockBytes, damaged, type PaxFields, readPax, readTarHeader, textOf } from './tar-header.ts';
import type { UnpackMeter } from './unpack-meter.ts';
import { UnpackError } from './unpack-problem.ts';
import { holdsNoFiles } from './zip-members.ts';

/** What the bytes that come next are. */
type Expected = 'header' | 'content' | 'extension' | 'global' | 'long-name' | 'padding' | 'end';

export class TarStep implements ByteStep {
  readonly #meter: UnpackMeter;
  readonly #openMember: (name: string) => ByteStep;
  readonly #block = Buffer.alloc(blockBytes);
  #blockBytes = 0;
  #expected: Expected = 'header';
  #leftBytes = 0;
  #paddingBytes = 0;
  #zeroBlocks = 0;
  #extension: Buffer[] = [];
  #pax: PaxFields | null = null;
  #longName: string | null = null;
  #member: ByteStep | null = null;
  #members = 0;
  #isEmpty = true;

  constructor(meter: UnpackMeter, openMember: (name: string) => ByteStep) {
    this.#meter = meter;
    this.#openMember = openMember;
  }

  async push(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) this.#isEmpty = false;
    for (let at = 0; at < bytes.length; ) {
      if (this.#expected === 'end') {
        if (bytes.subarray(at).some((byte) => byte !== 0)) throw damaged('there are bytes behind its end');
        return;
      }
      if (this.#expected === 'header') {
        const piece = bytes.subarray(at, at + blockBytes - this.#blockBytes);
        this.#block.set(piece, this.#blockBytes);
        this.#blockBytes += piece.length;
        at += piece.length;
        if (this.#blockBytes === blockBytes) await this.#takeBlock();
        continue;
      }
      const piece = bytes.subarray(at, at + this.#leftBytes);
      at += piece.length;
      this.#leftBytes -= piece.length;
      await this.#take(piece);
    }
  }

  async end(): Promise<void> {
    if (this.#isEmpty || this.#expected !== 'end') throw damaged('it ends before its end');
    if (this.#members === 0) throw holdsNoFiles();
  }

  abort(): void {
    this.#member?.abort();
    this.#member = null;
  }

  async #takeBlock(): Promise<void> {
    this.#blockBytes = 0;
    if (this.#block.every((byte) => byte === 0)) {
      this.#zeroBlocks += 1;
      if (this.#pax !== null || this.#longName !== null) throw damaged('a header is about nothing');
      if (this.#zeroBlocks === 2) this.#expected = 'end';
      return;
    }
    if (this.#zeroBlocks > 0) throw damaged('there are bytes behind its end');
    const header = readTarHeader(this.#block);
    if (header.kind === 'file' || header.kind === 'folder') {
      const bytes = this.#pax?.bytes ?? header.bytes;
      const path = this.#pathOf(header.path);
      this.#meter.takeEntry();
      const name = nameOfMember(path, './');
      this.#pax = null;
      this.#longName = null;
      if (header.kind === 'folder' || path.endsWith('/')) {
        if (bytes !== 0 || header.kind === 'file')
          throw new UnpackError('entry', 'a folder of the archive is named as a file, or has content');
        return;
      }
      this.#meter.foresee(bytes);
      this.#members += 1;
      this.#member = this.#openMember(name);
      await this.#expect('content', bytes);
    } else await this.#expect(header.kind, header.bytes);
  }

  /** Of the two ways to say a long name, one. */
  #pathOf(short: string): string {
    const long = this.#pax?.path;
    if (long !== undefined && this.#longName !== null) throw new UnpackError('name', 'a member has two names');
    return long ?? this.#longName ?? short;
  }

  async #expect(expected: 'content' | 'extension' | 'global' | 'long-name', bytes: number): Promise<void> {
    this.#expected = expected;
    this.#leftBytes = bytes;
    this.#paddingBytes = (blockBytes - (bytes % blockBytes)) % blockBytes;
    if (bytes === 0) await this.#finish();
  }

  async #take(piece: Uint8Array): Promise<void> {
    if (this.#expected === 'content') {
      this.#meter.take(piece.length);
      await this.#member!.push(piece);
    } else if (this.#expected !== 'padding') this.#extension.push(Buffer.from(piece));
    if (this.#leftBytes === 0) await this.#finish();
  }

  /** Of what was expected all is there. */
  async #finish(): Promise<void> {
    const content = Buffer.concat(this.#extension);
    this.#extension = [];
    if (this.#expected === 'content') {
      await this.#member!.end();
      this.#member = null;
    } else if (this.#expected === 'extension') {
      if (this.#pax !== null) throw damaged('an entry has two headers of one kind');
      this.#pax = readPax(content);
    } else if (this.#expected === 'global') assertHarmless(readPax(content));
    else if (this.#expected === 'long-name') {
      if (this.#longName !== null) throw damaged('an entry has two headers of one kind');
      this.#longName = textOf(content);
    }
    this.#leftBytes = this.#paddingBytes;
    this.#paddingBytes = 0;
    this.#expected = this.#leftBytes > 0 ? 'padding' : 'header';
  }
}
