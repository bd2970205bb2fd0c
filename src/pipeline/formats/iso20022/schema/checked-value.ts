/** The text of an element, when it is whole and checked. */
export interface CheckedValue {
  readonly bytes: Buffer;
  readonly length: number;
  /** Packed; -1: the type has none. */
  readonly currency: number;
  /** False: a finding says what is wrong with it. */
  readonly isValid: boolean;
}
