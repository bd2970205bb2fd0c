/**
 * Receipts of files that were sent to their end and refused then, so that no arrival tells of them: many clients show their
 * people nothing but a failure. They are in the memory of the process that refused the file, the newest of each user, and gone
 * with it. A refusal keeps nothing of the file.
 */
import { actorOf, HeadgateError, nextOf } from '../../../platform/base/errors.ts';
import { refusalOf, type UploadOutcome } from './incoming-upload.ts';
import { type ReceiptFile, receiptSuffix } from './receipt-files.ts';
import type { SftpFolderPlan } from './sftp-user-plan.ts';

export interface EndedUpload {
  readonly name: string;
  /** That came. */
  readonly bytes: number;
  readonly outcome: UploadOutcome;
  /** Its sender said so. */
  readonly isWhole: boolean;
  /** Unix time. */
  readonly atMs: number;
}

type Folder = Pick<SftpFolderPlan, 'folder' | 'flowName'>;
type User = { readonly tenantId: string; readonly name: string };

const receiptsPerUserMax = 100;
const usersMax = 1_000;
/** As long as receipts of arrivals. */
const keptMs = 7 * 24 * 3_600_000;

export class RefusedUploads {
  /** By user, then by folder and name; each oldest first. */
  readonly #users = new Map<string, Map<string, ReceiptFile>>();

  /** What has an arrival has its receipt from that; what was not whole was never there. */
  tell(user: User, folder: Folder, upload: EndedUpload): void {
    const { outcome, isWhole } = upload;
    if ('answer' in outcome && outcome.answer.kind !== 'refused') this.#users.get(keyOf(user))?.delete(pathOf(folder, upload));
    const refusal = isWhole ? refusalFrom(outcome) : null;
    if (refusal !== null) this.#keep(keyOf(user), pathOf(folder, upload), receiptOf(folder, upload, refusal));
  }

  #keep(key: string, path: string, receipt: ReceiptFile): void {
    const receipts = this.#users.get(key) ?? new Map<string, ReceiptFile>();
    this.#users.delete(key);
    this.#users.set(key, receipts);
    if (this.#users.size > usersMax) this.#forgetOne();
    receipts.delete(path);
    receipts.set(path, receipt);
    if (receipts.size > receiptsPerUserMax) receipts.delete(receipts.keys().next().value!);
  }

  /** Of the tenant that has most users here, so that none makes the receipts of others go. */
  #forgetOne(): void {
    const byTenant = Map.groupBy(this.#users.keys(), tenantOf);
    const [oldest] = [...byTenant.values()].reduce((most, keys) => (keys.length > most.length ? keys : most));
    this.#users.delete(oldest!);
  }

  of(user: User, folder: string, nowMs: number): readonly ReceiptFile[] {
    const receipts = [...(this.#users.get(keyOf(user)) ?? [])];
    return receipts.flatMap(([path, receipt]) => (path.startsWith(`${folder}/`) && nowMs - receipt.changedMs < keptMs ? [receipt] : []));
  }
}

/** Of what went wrong at the server nobody may know whether the file was accepted. */
function refusalFrom(outcome: UploadOutcome): HeadgateError | null {
  if ('answer' in outcome) return outcome.answer.kind === 'refused' ? refusalOf(outcome.answer) : null;
  const { error } = outcome;
  return error instanceof HeadgateError && ['sender', 'caller'].includes(actorOf(error.code) ?? '') ? error : null;
}

function receiptOf({ folder, flowName }: Folder, { name, bytes, atMs }: EndedUpload, refusal: HeadgateError): ReceiptFile {
  const { code, message: reason } = refusal;
  const document = {
    name,
    folder,
    flow: flowName,
    state: 'refused',
    arrivalId: null,
    bytes,
    sha256: null,
    fileId: null,
    duplicateOf: null,
    code,
    reason,
    next: nextOf(code) || null,
    at: new Date(atMs).toISOString(),
  };
  return { name: `${name}${receiptSuffix}`, content: Buffer.from(`${JSON.stringify(document, null, 2)}\n`), changedMs: atMs };
}

function keyOf({ tenantId, name }: User): string {
  return `${tenantId}/${name}`;
}

function tenantOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function pathOf({ folder }: Folder, { name }: EndedUpload): string {
  return `${folder}/${name}`;
}
