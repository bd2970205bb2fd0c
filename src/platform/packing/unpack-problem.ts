/** What can be wrong with a packed file. It is the file's own fault; what is not, fails otherwise. */
export type UnpackProblemKind =
  /** More bytes than is allowed, in all or for each received one. */
  | 'limits'
  /** Needs more memory than is given. */
  | 'window'
  /** Not what it should be: damaged, incomplete, or saying one thing here and another there. */
  | 'packing'
  /** A name of a member that is not taken, or that two have. */
  | 'name'
  /** An entry that is no plain file: a link, a device, encrypted, packed in a way that is not taken. */
  | 'entry'
  /** More members than are allowed, or none. */
  | 'members'
  /** No OpenPGP message that is encrypted, or more than that. */
  | 'message'
  /** Encrypted to others. */
  | 'recipient'
  /** Not as it was encrypted. */
  | 'integrity'
  /** A signature that is not that of the content. */
  | 'signature'
  | 'unsigned'
  /** Signed by nobody who counts, or whose key is not good any more. */
  | 'signer'
  /** Encrypted or signed in a way that proves nothing any more. */
  | 'weak';

export interface UnpackProblem {
  readonly kind: UnpackProblemKind;
  /** Without content: no names of members. */
  readonly message: string;
}

/** Thrown between the steps of unpacking; whoever unpacks a file makes an answer of it. */
export class UnpackError extends Error {
  readonly problem: UnpackProblem;

  constructor(kind: UnpackProblemKind, message: string) {
    super(message);
    this.problem = { kind, message };
  }
}
