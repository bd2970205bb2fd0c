/** What every level of the bench is given. */
export interface BenchContext {
  /** Of the project. */
  readonly root: string;
  /** The Node that runs the product and its peers. */
  readonly node: string;
  /** Scratch space of this run. */
  readonly folder: string;
  readonly isQuick: boolean;
  progress(message: string): void;
}
