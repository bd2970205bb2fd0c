/** Why a record could not be taken apart: a code and a sentence without content. */
export interface StructureProblem {
  readonly code: string;
  readonly message: string;
}
