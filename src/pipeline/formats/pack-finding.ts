/** What a pack says of a place in a file. */
export interface PackFinding {
  readonly code: string;
  /** `warn` refuses nothing. */
  readonly severity: 'error' | 'warn';
  /** Of the physical line, from 1. */
  readonly line: number;
  /** First and last column in that line, from 1, in bytes; null: the line as a whole. */
  readonly columns: readonly [number, number] | null;
  /** In the file, of the first byte of `columns`, or of the line. */
  readonly offset: number;
  /** Type of the record, as `--parse` names it; null: it has none. */
  readonly record: string | null;
  /** As `--parse` names it. */
  readonly field: string | null;
  /** It holds the file as a whole, though a record is being read. */
  readonly concernsFile?: boolean;
  /** Where in an XML document: an XPath. */
  readonly path?: string;
  /** A key of `Pack.rules`. */
  readonly rule: string;
  /** For people. Declared and computed numbers and codes; never names, accounts or texts of the file. */
  readonly message: string;
}
