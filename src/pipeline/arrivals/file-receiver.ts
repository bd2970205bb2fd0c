/**
 * Takes in one file's bytes once, in order: hashes and seals them as received, undoes within limits what its source says that it
 * is packed in, and hashes, splits and seals what comes out. Small contents stay in memory, to be packed with others. Nothing
 * names what was sealed until the accepting transaction commits; `abort` and a crash leave at most an orphan for the sweep.
 */
import { createHash } from 'node:crypto';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { ByteStep } from '../../platform/packing/byte-step.ts';
import { givesMembers, type Unpack } from '../../platform/packing/packings.ts';
import type { PgpReadingKeys } from '../../platform/packing/pgp-reading.ts';
import { createUnpackChain, type ScratchStep } from '../../platform/packing/unpack-chain.ts';
import { UnpackError, type UnpackProblem } from '../../platform/packing/unpack-problem.ts';
import type { SplitResult, Splitter } from '../formats/format.ts';
import { type ArrivalErrorCode, arrivalErrors } from './arrival-errors.ts';
import type { FileLimits } from './arrival-plan.ts';
import { type Content, type ContentPlace, ContentSink, openContent } from './content-sink.ts';
import { problemOfName } from './file-name.ts';

/** The longest piece that is hashed, split and sealed without a pause. */
export const pieceBytesMax = 256 * 1024;

export interface ReceiverOptions extends ContentPlace {
  readonly unpack: Unpack;
  /** Where a step is `pgp`. */
  readonly pgpKeys: PgpReadingKeys | null;
  readonly limits: Omit<FileLimits, 'filesPerMinute'>;
  /** `keep` takes the content that is split: the bytes that are pushed, but where a pack makes lines of them. */
  readonly createSplitter: (keep: (bytes: Uint8Array) => void) => Splitter;
  /** The content is what a pack makes of the file. */
  readonly isConverted: boolean;
  readonly createId: () => string;
}

export interface ReceiveProblem {
  readonly code: ArrivalErrorCode;
  readonly message: string;
}

/** A file that came in another one. */
export interface ReceivedMember {
  readonly name: string | null;
  readonly content: Content;
  readonly split: SplitResult;
  /** Of what a pack was given, which is more than its lines hold; null: the content is what was given. */
  readonly givenSha256: string | null;
}

export interface ReceivedFile {
  /** As received. */
  readonly container: Content;
  /** Unpacked; the container itself when nothing is packed; null with a problem, and where the file has members. */
  readonly member: Content | null;
  readonly split: SplitResult | null;
  /** As of a member; absent: null. */
  readonly givenSha256?: string | null;
  /** Files of their own, in their order; null with a problem, and where the file is one. */
  readonly members: readonly ReceivedMember[] | null;
  /** Why the file goes to quarantine. */
  readonly problem: ReceiveProblem | null;
  /** When it began to come, on the clock that rises; absent where nothing came. */
  readonly begunMs?: number;
}

export interface FileReceiver {
  /** At most `pieceBytesMax`. Fails with E_FILE_TOO_LARGE and with the codes of the store; then the receiver is aborted. */
  push(bytes: Uint8Array): Promise<void>;
  /** Seals, makes durable and reads back what is not small. */
  end(): Promise<ReceivedFile>;
  abort(): void;
}

export function createFileReceiver(options: ReceiverOptions): FileReceiver {
  return options.unpack.length === 0 && !options.isConverted ? new PlainReceiver(options) : new UnpackingReceiver(options);
}

/** The file is what is received. */
class PlainReceiver implements FileReceiver {
  readonly #limits: ReceiverOptions['limits'];
  readonly #content: ContentSink;
  readonly #splitter: Splitter;

  constructor(options: ReceiverOptions) {
    this.#limits = options.limits;
    this.#content = new ContentSink(options, options.createId);
    this.#splitter = options.createSplitter((bytes) => this.#content.write(bytes));
  }

  async push(bytes: Uint8Array): Promise<void> {
    try {
      assertFits(this.#content, bytes, this.#limits);
      this.#splitter.push(bytes);
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  async end(): Promise<ReceivedFile> {
    try {
      const split = this.#splitter.end();
      const content = this.#content.end();
      return { container: content, member: content, split, members: null, problem: null };
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  abort(): void {
    this.#content.abort();
  }
}

class UnpackingReceiver implements FileReceiver {
  readonly #options: ReceiverOptions;
  readonly #container: ContentSink;
  readonly #chain: ByteStep;
  readonly #members: ReceivedMember[] = [];
  readonly #names = new Set<string>();
  #received: Content | null = null;
  #problem: ReceiveProblem | null = null;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#container = new ContentSink(options, options.createId);
    const { unpackedBytesMax, ratioMax, entriesMax } = options.limits;
    this.#chain = createUnpackChain(options.unpack, {
      limits: { unpackedBytesMax, ratioMax, entriesMax },
      receivedBytes: () => this.#container.bytes,
      pgpKeys: options.pgpKeys,
      openReceived: () => openContent(options, this.#received!),
      openScratch: () => createScratch(options),
      openMember: (name) => this.#openMember(name),
    });
  }

  async push(bytes: Uint8Array): Promise<void> {
    await this.#guarded(async () => {
      assertFits(this.#container, bytes, this.#options.limits);
      this.#container.write(bytes);
      if (this.#problem === null) await this.#unpack(() => this.#chain.push(bytes));
    });
  }

  async end(): Promise<ReceivedFile> {
    return this.#guarded(async () => {
      this.#received = this.#container.end();
      if (this.#problem === null) await this.#unpack(() => this.#chain.end());
      const none = { container: this.#received, member: null, split: null, members: null };
      if (this.#problem !== null) return { ...none, problem: this.#problem };
      if (givesMembers(this.#options.unpack)) return { ...none, members: this.#members, problem: null };
      const [{ content, split, givenSha256 }] = this.#members as [ReceivedMember];
      return { ...none, member: content, split, givenSha256, problem: null };
    });
  }

  abort(): void {
    this.#chain.abort();
    this.#container.abort();
    this.#discard(this.#received === null ? [] : [this.#received]);
  }

  /** What is wrong with the file is kept; what was unpacked of it until then is not. */
  async #unpack(step: () => void | Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof UnpackError)) throw error;
      this.#problem = problemOf(error.problem);
      this.#chain.abort();
      this.#discard([]);
    }
  }

  #openMember(name: string | null): ByteStep {
    const problem = name === null ? null : problemOfName(name);
    if (problem !== null) throw new UnpackError('name', `a member of the archive has a name that is not taken: ${problem}`);
    if (name !== null && this.#names.has(name)) throw new UnpackError('name', 'two members of the archive have the same name');
    if (name !== null) this.#names.add(name);
    const content = new ContentSink(this.#options, this.#options.createId);
    const { createSplitter, isConverted, unpack } = this.#options;
    const splitter = createSplitter((bytes) => content.write(bytes));
    // Where nothing is packed the container is what the pack is given, and is hashed already.
    const given = isConverted && unpack.length > 0 ? createHash('sha256') : null;
    return {
      push(bytes) {
        given?.update(bytes);
        splitter.push(bytes);
      },
      end: async () => {
        const split = splitter.end();
        const givenSha256 = isConverted ? (given?.digest('hex') ?? this.#received!.sha256) : null;
        this.#members.push({ name, content: content.end(), split, givenSha256 });
      },
      abort: () => content.abort(),
    };
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  #discard(others: readonly Content[]): void {
    for (const content of [...this.#members.map((member) => member.content), ...others]) removeQuietly(this.#options, content);
    this.#members.length = 0;
  }
}

function createScratch(options: ReceiverOptions): ScratchStep {
  const sink = new ContentSink(options, options.createId);
  return {
    push: (bytes) => sink.write(bytes),
    end() {
      const content = sink.end();
      const source = openContent(options, content);
      return {
        size: source.size,
        read: (into, at, length, position) => source.read(into, at, length, position),
        close() {
          source.close();
          removeQuietly(options, content);
        },
      };
    },
    abort: () => sink.abort(),
  };
}

/** What can not be removed is an orphan for the sweep. */
function removeQuietly({ store }: ContentPlace, { sealed }: Content): void {
  try {
    if (sealed !== null) store.remove(sealed.name);
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
  }
}

function assertFits(content: ContentSink, bytes: Uint8Array, { bytesMax }: ReceiverOptions['limits']): void {
  if (content.bytes + bytes.length > bytesMax)
    throw new HeadgateError(arrivalErrors.E_FILE_TOO_LARGE, `the file is larger than ${bytesMax} bytes`);
}

const codeOf = {
  limits: 'E_BOMB',
  window: 'E_PACKED_WINDOW',
  packing: 'E_ARCHIVE',
  name: 'E_ARCHIVE_NAME',
  entry: 'E_ARCHIVE_ENTRY',
  members: 'E_ARCHIVE_MEMBERS',
  message: 'E_PGP_MESSAGE',
  recipient: 'E_PGP_OTHER_KEY',
  integrity: 'E_PGP_INTEGRITY',
  signature: 'E_PGP_SIGNATURE',
  unsigned: 'E_PGP_UNSIGNED',
  signer: 'E_PGP_SIGNER',
  weak: 'E_PGP_WEAK',
} as const satisfies Record<UnpackProblem['kind'], ArrivalErrorCode>;

function problemOf({ kind, message }: UnpackProblem): ReceiveProblem {
  return { code: codeOf[kind], message };
}
