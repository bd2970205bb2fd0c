/**
 * What one session of a user sees: a folder per source that takes its files, to be written into, and `receipts`, to be read.
 * There is no file system behind it: a name leads to an arrival of the user's own sources or to nothing. An upload is let in by
 * the same gate, taken in by the same code, and accepted by the same transaction as one over HTTP.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ports } from '../../../platform/base/ports.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import { readUserKey, type UserKey } from '../../../platform/sftp/user-keys.ts';
import { type VirtualEntry, type VirtualFiles, VirtualRefusal, type VirtualWriter } from '../../../platform/sftp/virtual-files.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import type { Uploads } from '../upload.ts';
import { IncomingUpload, refusalOf, type UploadOutcome } from './incoming-upload.ts';
import { type AheadRoom, OrderedBytes } from './ordered-bytes.ts';
import { listReceipts, newestOf, type ReceiptFile, receiptSuffix } from './receipt-files.ts';
import type { RefusedUploads } from './refused-uploads.ts';
import { SessionManifests } from './session-manifests.ts';
import { sftpServerErrors } from './sftp-server-errors.ts';
import type { SftpFolderPlan, SftpUserPlan, SftpUserPlans } from './sftp-user-plan.ts';
import { countBrought } from './user-usage.ts';

/** Who is in: of a tenant, under a name, by one key. */
export interface SftpUser {
  readonly tenantId: string;
  readonly tenant: string;
  readonly name: string;
  readonly fingerprint: string;
}

export interface UserFilesParts {
  readonly db: Db;
  readonly ports: Ports;
  readonly users: SftpUserPlans;
  readonly uploads: Pick<Uploads, 'receiveUpload'>;
  readonly room: AheadRoom;
  readonly refused: RefusedUploads;
  /** Of a user, whose limit is given: a place for one upload more; null when there is none. */
  readonly takeUpload: (user: SftpUser, uploadsMax: number) => (() => void) | null;
  readonly isDraining: () => boolean;
  /** Once for each upload that was begun or refused. */
  readonly onUpload: (user: SftpUser, folder: string, code: string | null) => void;
}

export const receiptsFolder = 'receipts';
/** So many files that were taken in this session can be looked at by name; some clients do after an upload. */
const takenMax = 1_000;
const foldersMs = 2_000;

export class UserFiles implements VirtualFiles {
  readonly #parts: UserFilesParts;
  readonly #user: SftpUser;
  /** By path, as they are written. */
  readonly #uploads = new Map<string, IncomingUpload>();
  /** By path; oldest first. */
  readonly #taken = new Map<string, VirtualEntry>();
  readonly #manifests = new SessionManifests();
  #folders: { readonly plan: SftpUserPlan; readonly atMs: number } | null = null;

  constructor(parts: UserFilesParts, user: SftpUser) {
    this.#parts = parts;
    this.#user = user;
  }

  get hasUploads(): boolean {
    return this.#uploads.size > 0;
  }

  async find(path: readonly string[]): Promise<VirtualEntry | null> {
    const [top, second, third] = path;
    if (top === undefined) return folderEntry('', false);
    if (path.length === 1) return top === receiptsFolder ? folderEntry(top, false) : folderEntry((await this.#folder(top)).folder, true);
    if (top !== receiptsFolder) return path.length === 2 ? this.#fileOf(path) : null;
    const folder = await this.#folder(second!);
    if (third === undefined) return folderEntry(folder.folder, false);
    const receipt = path.length === 3 ? await this.#receipt(folder, third) : undefined;
    return receipt === undefined ? null : receiptEntry(receipt);
  }

  async list(path: readonly string[]): Promise<readonly VirtualEntry[]> {
    const [top, second] = path;
    if (top === undefined || (top === receiptsFolder && second === undefined)) {
      const names = [...new Set((await this.#plan()).folders.map(({ folder }) => folder))];
      const folders = names.map((name) => folderEntry(name, top === undefined));
      return top === undefined ? [...folders, folderEntry(receiptsFolder, false)] : folders;
    }
    if (path.length > 2 || (second !== undefined && top !== receiptsFolder)) throw missing();
    const folder = await this.#folder(second ?? top);
    if (second !== undefined) return (await this.#receipts(folder)).map(receiptEntry);
    const inFolder = [...new Set([...this.#taken.keys(), ...this.#uploads.keys()])].filter((each) => each.startsWith(`${top}/`));
    return inFolder.map((each) => this.#fileOf(each.split('/'))!);
  }

  async read(path: readonly string[]): Promise<Uint8Array> {
    const [top, name, receipt] = path;
    if (top === receiptsFolder && path.length === 3) {
      const found = await this.#receipt(await this.#folder(name!), receipt!);
      if (found === undefined) throw missing();
      return found.content;
    }
    if (this.#fileOf(path) !== null) throw new VirtualRefusal('forbidden', 'files that were brought can not be read');
    throw missing();
  }

  async write(path: readonly string[]): Promise<VirtualWriter> {
    const [top, fileName] = path;
    if (top === receiptsFolder) throw new VirtualRefusal('forbidden', 'receipts are written by the server');
    if (top === undefined || fileName === undefined || path.length > 2) throw missing();
    try {
      return await this.#begin(top, fileName);
    } catch (error) {
      if (error instanceof HeadgateError) this.#parts.onUpload(this.#user, top, error.code);
      throw error;
    }
  }

  async rename(from: readonly string[], to: readonly string[]): Promise<void> {
    const key = from.join('/');
    const upload = this.#uploads.get(key);
    if (upload === undefined) {
      if (this.#taken.has(key)) throw new HeadgateError(sftpServerErrors.E_SFTP_RENAME, 'the file was taken under its name');
      throw missing();
    }
    const folder = await this.#folder(from[0]!);
    const finalName = from[1]!.slice(0, -folder.temporary.length);
    if (!upload.isClosed || to.length !== 2 || to[0] !== from[0] || to[1] !== finalName || !isTemporary(from[1]!, folder))
      throw new HeadgateError(
        sftpServerErrors.E_SFTP_RENAME,
        'a file is renamed once it is closed, in its folder, to its name without the suffix',
      );
    await upload.finish();
  }

  async remove(path: readonly string[]): Promise<void> {
    const key = path.join('/');
    const upload = this.#uploads.get(key);
    if (upload === undefined) {
      if (this.#taken.has(key) || path[0] === receiptsFolder) throw new VirtualRefusal('forbidden', 'what was taken can not be removed');
      throw missing();
    }
    if (!upload.isClosed) throw new VirtualRefusal('forbidden', 'the file is being written');
    upload.abort();
  }

  end(): void {
    for (const upload of this.#uploads.values()) upload.abort();
  }

  async #begin(folderName: string, fileName: string): Promise<VirtualWriter> {
    const { uploads, room, refused, ports, takeUpload, isDraining, onUpload } = this.#parts;
    if (isDraining()) throw new HeadgateError(sftpServerErrors.E_SFTP_DRAINING, 'the server is about to stop');
    const { plan, folder } = await this.#admit(folderName);
    const isUnfinished = isTemporary(fileName, folder);
    const hasManifests = folder.complete === 'manifest';
    if (hasManifests && hasSuffix(fileName, folder.manifest))
      return this.#manifests.writer(`${folderName}/${fileName.slice(0, -folder.manifest.length)}`);
    if (folder.complete === 'rename' && !isUnfinished)
      throw new HeadgateError(sftpServerErrors.E_SFTP_TEMPORARY, `files are uploaded as <name>${folder.temporary} and renamed`);
    const key = `${folderName}/${fileName}`;
    if (this.#uploads.has(key)) throw new VirtualRefusal('forbidden', 'the file is being written already');
    const name = isUnfinished ? fileName.slice(0, -folder.temporary.length) : fileName;
    const headers = hasManifests ? this.#manifests.headersOf(`${folderName}/${name}`, name) : {};
    const leave = takeUpload(this.#user, plan.limits.uploadsMax);
    if (leave === null) throw new HeadgateError(sftpServerErrors.E_SFTP_QUOTA, 'too many uploads of the user, or of all, are under way');
    const body = new OrderedBytes(room);
    const answer = uploads.receiveUpload({
      tenantId: this.#user.tenantId,
      flowName: folder.flowName,
      sourceId: folder.sourceId,
      name,
      headers,
      body,
      actor: actorOf(this.#user),
    });
    const upload = new IncomingUpload({
      body,
      answer,
      isTemporary: isUnfinished,
      onEnd: (outcome) => {
        leave();
        this.#uploads.delete(key);
        const code = codeOf(outcome);
        if (code === null) this.#keepTaken(`${folderName}/${name}`, name, body.size);
        refused.tell(this.#user, folder, { name, bytes: body.size, outcome, isWhole: upload.isFinishing, atMs: ports.clock.nowMs() });
        this.#manifests.forget(`${folderName}/${name}`);
        onUpload(this.#user, folderName, code);
      },
    });
    this.#uploads.set(key, upload);
    // Either the first bytes are asked for, or the answer is there before one was: then it is a refusal.
    const early = await Promise.race([body.begun.then(() => null), answer.catch((error: unknown) => ({ error }))]);
    if (early === null) return upload;
    throw 'error' in early ? early.error : (refusalOf(early) ?? missing());
  }

  /** Asked anew for every file: a key that was taken away, or a flow that was, takes no more. */
  async #admit(folderName: string): Promise<{ readonly plan: SftpUserPlan; readonly folder: SftpFolderPlan }> {
    const { db, users, ports } = this.#parts;
    const { tenantId, name, fingerprint } = this.#user;
    const { plan, brought } = await withTenant(
      db,
      tenantId,
      async (tx) => {
        const found = await users.user(tx, name);
        if (found === undefined || keyOf(found, fingerprint) === null)
          throw new VirtualRefusal('forbidden', 'the user is not let in any more');
        const flowIds = [...new Set(found.folders.map(({ flowId }) => flowId))];
        return { plan: found, brought: await countBrought(tx, { flowIds, actor: actorOf(this.#user) }) };
      },
      { readOnly: true },
    );
    this.#folders = { plan, atMs: ports.clock.monotonicMs() };
    const folder = await this.#folder(folderName);
    if (folder.isShared) throw new HeadgateError(sftpServerErrors.E_SFTP_FOLDER, 'several flows take the files of this folder');
    if (brought.files >= plan.limits.filesPerMinute || brought.bytes >= plan.limits.bytesPerMinute)
      throw new HeadgateError(sftpServerErrors.E_SFTP_QUOTA, 'the user has brought as much within a minute as it may');
    return { plan, folder };
  }

  async #plan(): Promise<SftpUserPlan> {
    const { db, ports, users } = this.#parts;
    const { tenantId, name } = this.#user;
    if (this.#folders !== null && ports.clock.monotonicMs() - this.#folders.atMs < foldersMs) return this.#folders.plan;
    const plan = await withTenant(db, tenantId, (tx) => users.user(tx, name), { readOnly: true });
    if (plan === undefined) throw new VirtualRefusal('forbidden', 'the user is not let in any more');
    this.#folders = { plan, atMs: ports.clock.monotonicMs() };
    return plan;
  }

  async #folder(name: string): Promise<SftpFolderPlan> {
    const folder = (await this.#plan()).folders.find((each) => each.folder === name);
    if (folder === undefined) throw missing();
    return folder;
  }

  async #receipts(folder: SftpFolderPlan, name: string | null = null): Promise<readonly ReceiptFile[]> {
    if (folder.isShared) return [];
    const arrived = await withTenant(this.#parts.db, this.#user.tenantId, (tx) => listReceipts(tx, folder, name), { readOnly: true });
    const refused = this.#parts.refused.of(this.#user, folder.folder, this.#parts.ports.clock.nowMs());
    return newestOf([...arrived, ...refused.filter((each) => name === null || each.name === name + receiptSuffix)]);
  }

  async #receipt(folder: SftpFolderPlan, fileName: string): Promise<ReceiptFile | undefined> {
    if (!fileName.endsWith(receiptSuffix) || fileName.includes('\0')) return undefined;
    return (await this.#receipts(folder, fileName.slice(0, -receiptSuffix.length)))[0];
  }

  #fileOf(path: readonly string[]): VirtualEntry | null {
    const key = path.join('/');
    const upload = this.#uploads.get(key);
    if (upload === undefined) return this.#taken.get(key) ?? null;
    return { name: path[1]!, kind: 'file', bytes: upload.bytes, isWritable: true, changedMs: this.#parts.ports.clock.nowMs() };
  }

  #keepTaken(key: string, name: string, bytes: number): void {
    this.#taken.delete(key);
    this.#taken.set(key, { name, kind: 'file', bytes, isWritable: false, changedMs: this.#parts.ports.clock.nowMs() });
    if (this.#taken.size > takenMax) this.#taken.delete(this.#taken.keys().next().value!);
  }
}

/** Null: the user has no such key, or has it no more. */
export function keyOf({ publicKeys }: SftpUserPlan, fingerprint: string): UserKey | null {
  return publicKeys.map(readUserKey).find((key) => key?.fingerprint === fingerprint) ?? null;
}

export function actorOf({ name }: Pick<SftpUser, 'name'>): string {
  return `sftp:${name}`;
}

function isTemporary(fileName: string, { temporary }: SftpFolderPlan): boolean {
  return hasSuffix(fileName, temporary);
}

function hasSuffix(fileName: string, suffix: string): boolean {
  return fileName.length > suffix.length && fileName.endsWith(suffix);
}

function codeOf(outcome: UploadOutcome): string | null {
  if ('answer' in outcome) return refusalOf(outcome.answer)?.code ?? null;
  return outcome.error instanceof HeadgateError ? outcome.error.code : 'E_INTERNAL';
}

function missing(): VirtualRefusal {
  return new VirtualRefusal('missing', 'there is no such file');
}

function folderEntry(name: string, isWritable: boolean): VirtualEntry {
  return { name, kind: 'folder', bytes: 0, isWritable, changedMs: 0 };
}

function receiptEntry({ name, content, changedMs }: ReceiptFile): VirtualEntry {
  return { name, kind: 'file', bytes: content.length, isWritable: false, changedMs };
}
