/** Why something at a blob service did not happen. Whoever uses a container says what it means for a source, a target or a store. */

/** The first five are of the service, whatever object it was about; the others of one object. */
export type BlobFailureKind =
  | 'unreachable'
  | 'timeout'
  | 'credentials'
  | 'busy'
  | 'answer'
  | 'lost'
  | 'missing'
  | 'container-missing'
  | 'forbidden'
  | 'changed'
  | 'exists'
  | 'failed';

/** The message holds no name, path or text of the service; OpenDAL's own, which does, goes no further than here. */
export class BlobFailure extends Error {
  readonly kind: BlobFailureKind;

  constructor(kind: BlobFailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BlobFailure';
    this.kind = kind;
  }
}

const messages: Readonly<Record<BlobFailureKind, string>> = {
  unreachable: 'the service could not be reached',
  timeout: 'the service did not answer in time',
  credentials: 'the service refused the credentials',
  busy: 'the service asks to be left alone for a while, or failed on its own side',
  answer: 'the service sent an answer to something else',
  lost: 'the connection to the service was lost',
  missing: 'there is no such object',
  'container-missing': 'there is no such bucket or container',
  forbidden: 'the service does not allow it',
  changed: 'the object is not the one that was meant',
  exists: 'an object of that name is there already',
  failed: 'the service refused it',
};

/** Codes that services give for credentials that are none, among all their refusals; and for a bucket or container that is none. */
const ofCredentials = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
  'RequestTimeTooSkewed',
  'AuthenticationFailed',
  'AuthorizationFailure',
  'InvalidAuthenticationInfo',
  'NoAuthenticationInformation',
]);
const ofContainer = new Set(['NoSuchBucket', 'ContainerNotFound', 'ContainerBeingDeleted']);

/** Where no object is asked for, what is not there is the bucket or container: Google has no code for that. */
const aboutContainer = /^NotFound \(\w+\) at (list\b|write, context: \{ service_operation: InitiateResumableUpload\b)/;

/**
 * OpenDAL tells a kind at the beginning of its text and the answer behind it; the text holds names and addresses, and is not
 * kept. `isWrite`: a condition that failed means that the object is there, not that it changed.
 */
export function blobFailureOf(error: unknown, isWrite = false): BlobFailure {
  if (error instanceof BlobFailure) return error;
  const text = error instanceof Error ? error.message : String(error);
  const kind = kindOf(text, isWrite);
  return new BlobFailure(kind, messages[kind]);
}

function kindOf(text: string, isWrite: boolean): BlobFailureKind {
  const [, kind = ''] = /^(\w+) \(/.exec(text) ?? [];
  const codes = [...text.matchAll(/(?:"x-ms-error-code"|\bcode): "(\w+)"/g)].map(([, code]) => code!);
  if (codes.some((code) => ofContainer.has(code))) return 'container-missing';
  if (codes.some((code) => ofCredentials.has(code)) || /\bParts \{ status: 401\b/.test(text)) return 'credentials';
  switch (kind) {
    case 'NotFound':
      return aboutContainer.test(text) ? 'container-missing' : 'missing';
    case 'PermissionDenied':
      return 'forbidden';
    case 'ConditionNotMatch':
      return isWrite ? 'exists' : 'changed';
    case 'AlreadyExists':
      return 'exists';
    case 'RateLimited':
      return 'busy';
    case 'ConfigInvalid':
      return 'failed';
    default:
      return kindOfUnexpected(text);
  }
}

function kindOfUnexpected(text: string): BlobFailureKind {
  if (/ => (operation|io operation) timeout reached$/.test(text)) return 'timeout';
  // The gate's own answer: no connection was made.
  if (/\bParts \{ status: 502\b.*"x-headgate-gate": "refused"/.test(text)) return 'unreachable';
  if (/\bParts \{ status: (429|5\d\d)\b/.test(text)) return 'busy';
  if (/reader got too (little|much) data/.test(text)) return 'changed';
  // For a token of Google's, which its own host gives.
  if (/ => signing http request, source: send request via OpenDAL HttpTransporter$/.test(text)) return 'lost';
  if (/load(ing)? credential|signing request|reqsign/i.test(text)) return 'credentials';
  if (/called: (reqwest::send|http_util::)|read data from http|send http request/.test(text)) return 'lost';
  if (/deserialize|parse/i.test(text)) return 'answer';
  return 'failed';
}
