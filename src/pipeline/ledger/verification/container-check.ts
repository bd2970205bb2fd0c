/**
 * What the file came in must hold the file: the steps that the receipt states (`file.via`) are undone again, and what comes out
 * is compared, so that its bytes cannot be others'. Where the flow's format is a pack, the lines that it makes of the file are made
 * again; only records that are sent again are such lines from the beginning. Where there was nothing to undo, container and file are
 * one and the same. What is encrypted to someone can not be looked into: then it is stated that the file came out of it, and not recomputed.
 */
import { createHash, type Hash } from 'node:crypto';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { ByteStep } from '../../../platform/packing/byte-step.ts';
import { isEncrypted } from '../../../platform/packing/encrypted-head.ts';
import { archiveNames, type UnpackStep } from '../../../platform/packing/packings.ts';
import { createUnpackChain } from '../../../platform/packing/unpack-chain.ts';
import { UnpackError } from '../../../platform/packing/unpack-problem.ts';
import { isZip } from '../../../platform/packing/zip-members.ts';
import type { Finding, FindingGroup } from '../../engine/chunk.ts';
import type { PackPlan, Plan } from '../../engine/plan.ts';
import type { Splitter } from '../../formats/format.ts';
import type { Pack, Packs } from '../../formats/pack.ts';
import { createPackSplitter, noSplitter } from '../../formats/pack-splitter.ts';
import { exportFiles } from '../export/export-layout.ts';
import type { Receipt } from '../receipt.ts';
import { decodeReceipt } from '../receipt-schema.ts';
import { type ExportReader, type FileFacts, readPieces, readWhole } from './export-reader.ts';
import type { VerificationLog } from './verification-report.ts';

/** What the steps give, as far as they can be undone here: all of it, or nothing of what is not sound. */
export interface UnpackedContainer {
  readonly files: readonly UnpackedFile[];
  /** Null: the flow's format is none. */
  readonly pack: Pack | null;
  /** A step is left, which these files would have to be given to. */
  readonly isClosed: boolean;
}

interface UnpackedFile extends FileFacts {
  /** Null where no archive gave one. */
  readonly name: string | null;
  /** It begins as the step that is left asks for. */
  readonly isClosed: boolean;
  /** What a pack found about the file as a whole. */
  readonly damage: readonly Finding[];
  readonly warnings: readonly FindingGroup[];
}

export interface ContainerReading {
  /** Compiles a flow definition; throws a HeadgateError for one that is none. */
  readonly compile: (definition: Uint8Array) => Plan;
  readonly packs: Packs;
}

/** No more than a flow may take. */
const limits = { unpackedBytesMax: Number.MAX_SAFE_INTEGER, ratioMax: 10_000, entriesMax: 256 };
/** What tells an encrypted file in armor. */
const headBytes = 64;

/** In constant memory. Null where there is nothing to undo, without a container, and where receipt or flow can not be read. */
export async function unpackContainer(reader: ExportReader, reading: ContainerReading): Promise<UnpackedContainer | null> {
  const receipt = statedReceipt(reader);
  if (receipt === null) return null;
  const { file, job } = receipt;
  const pack = job.redrive === undefined ? await packOf(reader, reading) : null;
  if (file.via.length === 0 && pack === null) return null;
  const names = reader.names();
  // Exported once, where both are the same bytes, such as an empty file of which a pack makes no line.
  const isMember = file.via.length === 0 && file.container.sha256 === file.member.sha256;
  const name = isMember ? exportFiles.member : exportFiles.container;
  if (!names.includes(name)) return null;
  const container = reader.open(name);
  try {
    return await unpack(container, file, pack);
  } finally {
    container.close();
  }
}

function statedReceipt(reader: ExportReader): Receipt | null {
  try {
    return decodeReceipt(readWhole(reader, exportFiles.receipt));
  } catch {
    // What is wrong with it is found by the check of the receipt itself.
    return null;
  }
}

interface UsedPack {
  readonly pack: Pack;
  readonly settings: PackPlan['settings'];
}

async function packOf(reader: ExportReader, { compile, packs }: ContainerReading): Promise<UsedPack | null> {
  try {
    const { format } = compile(readWhole(reader, exportFiles.definition));
    if (format.type !== 'json-lines' || format.pack === undefined) return null;
    return { pack: await packs[format.pack.name](), settings: format.pack.settings };
  } catch (error) {
    // What is wrong with it is found by the check of the flow definition.
    if (!(error instanceof HeadgateError)) throw error;
    return null;
  }
}

async function unpack(container: ByteSource, { via, member }: Receipt['file'], used: UsedPack | null): Promise<UnpackedContainer> {
  const at = via.findIndex((step, index) => step === 'pgp' || (step === 'zip' && index > 0));
  const steps = at < 0 ? via : via.slice(0, at);
  const next = via[steps.length];
  const isArchive = steps.some((step) => archiveNames.some((name) => name === step));
  // Of one file nothing is read beyond what it should be; a closed one is as big as it is.
  const bytesMax = isArchive || next !== undefined ? Number.MAX_SAFE_INTEGER : member.bytes;
  const pack = used?.pack ?? null;
  const files: UnpackedFile[] = [];
  const chain = createUnpackChain(steps, {
    limits,
    receivedBytes: () => container.size,
    openReceived: () => ({ size: container.size, read: (...where) => container.read(...where), close() {} }),
    openScratch: () => {
      throw new Error('no step that is undone here keeps anything');
    },
    pgpKeys: null,
    openMember: (name) =>
      new FoundFile({ name, next, bytesMax, used: next === undefined ? used : null, found: (file) => void files.push(file) }),
  });
  try {
    for (const piece of readPieces(container, 0, container.size)) await chain.push(piece);
    await chain.end();
  } catch (error) {
    chain.abort();
    if (!(error instanceof UnpackError)) throw error;
    return { files: [], pack, isClosed: false };
  }
  return { files, pack, isClosed: next !== undefined };
}

interface FoundFileOptions {
  readonly name: string | null;
  /** The step that is left. */
  readonly next: UnpackStep | undefined;
  readonly bytesMax: number;
  /** Null: the bytes are taken as they are. */
  readonly used: UsedPack | null;
  readonly found: (file: UnpackedFile) => void;
}

class FoundFile implements ByteStep {
  readonly #options: FoundFileOptions;
  readonly #hash: Hash = createHash('sha256');
  readonly #splitter: Splitter | null;
  #bytes = 0;
  #head = Buffer.alloc(0);

  constructor(options: FoundFileOptions) {
    this.#options = options;
    this.#splitter =
      options.used === null ? null : createPackSplitter({ ...options.used, lines: noSplitter, keep: (bytes) => this.#take(bytes) });
  }

  push(bytes: Uint8Array): void {
    if (this.#head.length < headBytes) this.#head = Buffer.concat([this.#head, bytes.subarray(0, headBytes)]);
    if (this.#splitter === null) this.#take(bytes);
    else this.#splitter.push(bytes);
  }

  async end(): Promise<void> {
    const { name, next, found } = this.#options;
    const isClosed = next === 'pgp' ? isEncrypted(this.#head) : next === 'zip' && isZip(this.#head);
    const { damage = [], warnings = [] } = this.#splitter?.end() ?? {};
    found({ name, bytes: this.#bytes, sha256: this.#hash.digest('hex'), isClosed, damage, warnings });
  }

  #take(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#options.bytesMax) throw new UnpackError('limits', 'the file in the container is bigger than the raw file');
    this.#hash.update(bytes);
  }

  abort(): void {}
}

/** What its pack found about the raw file as a whole. */
export interface PackFindings {
  readonly damage: readonly Finding[];
  readonly warnings: readonly FindingGroup[];
  /** They can not be told: the damage is what the receipt states, of what the pack could find. */
  readonly isStated: boolean;
  isOfPack(finding: Pick<Finding, 'code' | 'rule'>): boolean;
}

export function packFindings({ file: { member }, reasons }: Receipt, unpacked: UnpackedContainer | null): PackFindings {
  const pack = unpacked?.pack ?? null;
  const isOfPack: PackFindings['isOfPack'] = ({ code, rule }) =>
    rule !== null && pack !== null && Object.hasOwn(pack.rules, rule) && pack.rules[rule]!.code === code;
  if (unpacked?.isClosed === true && pack !== null) {
    const damage = reasons.filter(isOfPack).map((reason) => ({ ...reason, record: 0, offset: 0, field: null }));
    return { damage, warnings: [], isStated: true, isOfPack };
  }
  const isMeant = ({ sha256, name }: UnpackedFile) => sha256 === member.sha256 && (name === null || name === member.name);
  const { damage = [], warnings = [] } = (pack === null ? undefined : unpacked?.files.find(isMeant)) ?? {};
  return { damage, warnings, isStated: false, isOfPack };
}

export function checkContainer({ file, job }: Receipt, unpacked: UnpackedContainer | null, log: VerificationLog): void {
  const { container, via, member } = file;
  if (job.redrive !== undefined) log.equal('container', 'E_VERIFY_FILE', { at: 'file.via', stated: via, found: [] });
  const { sha256, bytes } = member;
  if (via.length === 0 && (unpacked?.pack ?? null) === null) {
    log.equal('container', 'E_VERIFY_FILE', {
      at: 'file.container',
      stated: [container.sha256, container.bytes],
      found: [sha256, bytes],
    });
    return;
  }
  const isMeant = (found: UnpackedFile) =>
    found.sha256 === sha256 && found.bytes === bytes && (found.name === null || found.name === member.name);
  const isClosed = unpacked?.isClosed === true;
  const isThere = unpacked?.files.some((found) => (isClosed ? found.isClosed : isMeant(found))) ?? false;
  const steps = unpacked === null || unpacked.pack === null ? via : [...via, unpacked.pack.name];
  const message = `it does not unpack to the raw file by ${steps.join(', then ')}`;
  log.check('container', isThere ? null : { code: 'E_VERIFY_FILE', at: exportFiles.container, message });
  if (isThere && isClosed)
    log.note('The container is encrypted, or an archive in another packing: that the raw file came out of it is stated, not recomputed.');
}
