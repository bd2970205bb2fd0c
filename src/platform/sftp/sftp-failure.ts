/** Why something at an SFTP server did not happen. Whoever uses the session says what it means for a source or a target. */

/** The first eight are of the connection, which is of no use any more; the others of one request. */
export type SftpFailureKind =
  | 'unreachable'
  | 'timeout'
  | 'slow'
  | 'host-key'
  | 'algorithms'
  | 'credentials'
  | 'lost'
  | 'answer'
  | 'missing'
  | 'forbidden'
  | 'failed';

const ofRequests: ReadonlySet<SftpFailureKind> = new Set(['missing', 'forbidden', 'failed']);

/** The message holds no name, path or text of the server. */
export class SftpFailure extends Error {
  readonly kind: SftpFailureKind;

  constructor(kind: SftpFailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SftpFailure';
    this.kind = kind;
  }

  /** The connection is gone, or must not be used. */
  get isOfConnection(): boolean {
    return !ofRequests.has(this.kind);
  }
}
