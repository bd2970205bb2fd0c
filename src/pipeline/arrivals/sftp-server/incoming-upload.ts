/**
 * One file while a client writes it. Its bytes go where those of every upload go; it is asked for as soon as it was let in,
 * and what the client is told at the end is the answer of the accepting transaction. Closed under its temporary name it waits
 * to be renamed; without that, as without a close, it was never there.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { VirtualWriter } from '../../../platform/sftp/virtual-files.ts';
import { arrivalErrors } from '../arrival-errors.ts';
import type { UploadAnswer } from '../upload.ts';
import type { OrderedBytes } from './ordered-bytes.ts';

export interface IncomingUploadParts {
  readonly body: OrderedBytes;
  readonly answer: Promise<UploadAnswer>;
  readonly isTemporary: boolean;
  /** It is over, for good or not; told once. */
  readonly onEnd: (outcome: UploadOutcome) => void;
}

/** A code: it was not taken. */
export type UploadOutcome = { readonly answer: UploadAnswer } | { readonly error: unknown };

export class IncomingUpload implements VirtualWriter {
  readonly #parts: IncomingUploadParts;
  #isClosed = false;
  #isFinishing = false;

  constructor(parts: IncomingUploadParts) {
    this.#parts = parts;
    parts.answer.then(
      (answer) => {
        // Whoever still writes learns that nobody asks for it any more.
        parts.body.fail(refusalOf(answer) ?? new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, 'the upload is over'));
        parts.onEnd({ answer });
      },
      (error: unknown) => {
        parts.body.fail(error instanceof Error ? error : new Error('the upload failed'));
        parts.onEnd({ error });
      },
    );
  }

  get bytes(): number {
    return this.#parts.body.size;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The client said that it is whole. */
  get isFinishing(): boolean {
    return this.#isFinishing;
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#parts.body.write(offset, bytes);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (!this.#parts.isTemporary) await this.finish();
  }

  /** Resolves when the file is accepted, a duplicate, or held; fails with the code of why it is none of them. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    this.#parts.body.end();
    const refusal = refusalOf(await this.#parts.answer);
    if (refusal !== null) throw refusal;
  }

  /** Nothing once it is being accepted: that ends by itself, told or not. */
  abort(): void {
    if (this.#isFinishing) return;
    this.#parts.body.fail(new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, 'the sender went away before the file was complete'));
  }
}

/** What an upload over HTTP is answered with 422, 429 or 507 for. */
export function refusalOf(answer: UploadAnswer): HeadgateError | null {
  if (answer.kind === 'refused')
    return new HeadgateError(answer.code, 'there is no room for this file now; nothing was kept', { retryable: true });
  return answer.kind === 'quarantined' ? new HeadgateError(answer.code, answer.reason) : null;
}
