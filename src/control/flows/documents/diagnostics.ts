/**
 * Findings about a document, each at a path and a place in its text. All are collected; none stops the check of the
 * rest. Messages name keys and choices, never the value of a secret.
 */
import type { ErrorDetail } from '../../../platform/base/errors.ts';

export interface Diagnostic extends ErrorDetail {
  readonly severity: 'error' | 'warning';
  readonly path: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export type PathStep = string | number;
export type Path = readonly PathStep[];

/** `spec.routes.rules[0].when`; steps that are no plain names in quotes. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) return `[${JSON.stringify(step.slice(0, 64))}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a path is in the text. */
export interface PlaceFinder {
  /** Of its key, or of the list item; the nearest parent's when the path is not in the text. */
  key(path: Path): Place;
  /** Of its value, moved by `offset` units when the text says the value plainly. */
  value(path: Path, offset?: number): Place;
}

export interface Finding {
  readonly code: string;
  readonly path: Path;
  readonly message: string;
  readonly severity?: 'error' | 'warning';
  /** Units into the value's text; without it the finding is at the key. */
  readonly offset?: number;
  /** At the value's beginning instead of the key's. */
  readonly atValue?: boolean;
  /** The part it is about is left out; what remains can be checked further. */
  readonly isHarmless?: boolean;
}

export class Report {
  readonly #places: PlaceFinder;
  readonly #found: Diagnostic[] = [];

  constructor(places: PlaceFinder) {
    this.#places = places;
  }

  add(finding: Finding): void {
    const place =
      finding.atValue || finding.offset !== undefined ? this.#places.value(finding.path, finding.offset) : this.#places.key(finding.path);
    const isKnown = this.#found.some((known) => known.code === finding.code && known.line === place.line && known.column === place.column);
    if (isKnown) return;
    this.#found.push({
      code: finding.code,
      message: finding.message,
      path: pathText(finding.path),
      severity: finding.severity ?? 'error',
      ...place,
    });
  }

  get hasErrors(): boolean {
    return this.#found.some((diagnostic) => diagnostic.severity === 'error');
  }

  /** In order of the text. */
  get diagnostics(): readonly Diagnostic[] {
    return this.#found.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }
}
