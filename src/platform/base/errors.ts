/**
 * Operational failures of the product. Every code is declared in a catalogue beside its subject (`*-errors.ts`) with
 * `defineErrors`, documented in docs/reference/errors.md, and thrown as `HeadgateError`. Record content never enters one.
 */
export const errorActors = ['sender', 'author', 'operator', 'administrator', 'downstream', 'caller'] as const;
export type ErrorActor = (typeof errorActors)[number];

export interface ErrorDeclaration {
  /** One sentence: what it means. */
  readonly meaning: string;
  /** Who can act on it. */
  readonly actor: ErrorActor;
  /** What that person does next, as an imperative. */
  readonly next: string;
  readonly retryable?: boolean;
}

export interface CatalogueEntry extends ErrorDeclaration {
  readonly code: string;
}

const catalogue = new Map<string, CatalogueEntry>();

/** Declares codes (`E_…`). A code is declared once in the whole product. */
export function defineErrors<Code extends string>(declarations: Record<Code, ErrorDeclaration>): { readonly [C in Code]: C } {
  const codes = {} as { [C in Code]: C };
  for (const [code, declaration] of Object.entries(declarations) as [Code, ErrorDeclaration][]) {
    if (!/^E_[A-Z0-9_]+$/.test(code)) throw new Error(`error code ${code} does not match E_…`);
    if (catalogue.has(code)) throw new Error(`error code ${code} is declared twice`);
    catalogue.set(code, { code, ...declaration });
    codes[code] = code;
  }
  return codes;
}

/** Every declared code of the modules loaded so far, sorted. */
export function declaredErrors(): CatalogueEntry[] {
  return [...catalogue.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** What the catalogue says to do next; empty for a code that no module loaded so far declares. */
export function nextOf(code: string): string {
  return catalogue.get(code)?.next ?? '';
}

/** Who can act on it, as the catalogue says; undefined for a code that no module loaded so far declares. */
export function actorOf(code: string): ErrorActor | undefined {
  return catalogue.get(code)?.actor;
}

export interface HeadgateErrorOptions {
  readonly cause?: unknown;
  readonly details?: readonly ErrorDetail[];
  readonly retryable?: boolean;
  /** Where more can be said of this failure than the catalogue does. */
  readonly next?: string;
  readonly actor?: ErrorActor;
}

export class HeadgateError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  /** Structured findings, such as the positions of a flow definition's mistakes. */
  readonly details: readonly ErrorDetail[];
  readonly #next: string | undefined;
  readonly #actor: ErrorActor | undefined;

  constructor(code: string, message: string, options: HeadgateErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HeadgateError';
    this.code = code;
    this.retryable = options.retryable ?? catalogue.get(code)?.retryable ?? false;
    this.details = options.details ?? [];
    this.#next = options.next;
    this.#actor = options.actor;
  }

  /** Who can act on it: as it was given, else as the catalogue says; undefined for an undeclared code. */
  get actor(): ErrorActor | undefined {
    return this.#actor ?? actorOf(this.code);
  }

  /** What to do next: as it was given, else as the catalogue says; empty for an undeclared code. */
  get next(): string {
    return this.#next ?? nextOf(this.code);
  }
}

export interface ErrorDetail {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly line?: number;
  readonly column?: number;
}
