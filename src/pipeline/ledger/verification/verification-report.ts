/**
 * What a verification did and found. Every check appears, with how many things it looked at, so that a check which looked
 * at nothing is visible. Failures are bounded per code; the rest is counted.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { VerificationCode } from './verification-errors.ts';

/** Failures kept per code. */
const keptPerCode = 20;

export interface VerificationFailure {
  readonly code: VerificationCode;
  /** File of the export, record, target or field. */
  readonly at: string;
  readonly message: string;
}

export interface VerificationCheck {
  readonly name: string;
  /** How many things were compared. */
  readonly compared: number;
  readonly failed: number;
}

export interface VerificationReport {
  readonly isSound: boolean;
  readonly jobId: string | null;
  /** Key that signed, null when the signature was not accepted. */
  readonly kid: string | null;
  readonly checks: readonly VerificationCheck[];
  readonly failures: readonly VerificationFailure[];
  /** Failures beyond those kept. */
  readonly furtherFailures: number;
  /** What the verifier could not recompute, in words. */
  readonly notes: readonly string[];
}

export class VerificationLog {
  readonly #checks = new Map<string, { compared: number; failed: number }>();
  readonly #failures: VerificationFailure[] = [];
  readonly #perCode = new Map<string, number>();
  readonly #notes: string[] = [];
  #further = 0;
  jobId: string | null = null;
  kid: string | null = null;

  /** Counts one comparison under a check's name; a failure when `failure` is not null. */
  check(name: string, failure: VerificationFailure | null): void {
    const check = this.#checks.get(name) ?? { compared: 0, failed: 0 };
    this.#checks.set(name, check);
    check.compared++;
    if (failure === null) return;
    check.failed++;
    const count = (this.#perCode.get(failure.code) ?? 0) + 1;
    this.#perCode.set(failure.code, count);
    if (count <= keptPerCode) this.#failures.push(failure);
    else this.#further++;
  }

  /** Compares two JSON values; the order of their keys means nothing. */
  equal(name: string, code: VerificationCode, compared: { readonly at: string; readonly stated: unknown; readonly found: unknown }): void {
    const [stated, found] = [comparableText(compared.stated), comparableText(compared.found)];
    this.check(name, stated === found ? null : { code, at: compared.at, message: `the receipt says ${stated}, found ${found}` });
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  report(): VerificationReport {
    return {
      isSound: this.#failures.length === 0,
      jobId: this.jobId,
      kid: this.kid,
      checks: [...this.#checks].map(([name, check]) => ({ name, ...check })),
      failures: this.#failures,
      furtherFailures: this.#further,
      notes: this.#notes,
    };
  }
}

/**
 * The same text for the same JSON value. What a damaged part holds may be none, such as a number that is none, which becomes null, or
 * half a surrogate pair, which has no canonical form: it differs, and never ends the verification.
 */
export function comparableText(value: unknown): string {
  const plain: unknown = JSON.parse(JSON.stringify(value) ?? 'null');
  try {
    return canonicalJson(plain);
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return JSON.stringify(plain);
  }
}
