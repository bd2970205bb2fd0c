/** `Repr-Digest` and `Content-Digest` (RFC 9530): what the sender says the bytes hash to. Only sha-256 is compared. */
import { HeadgateError } from '../../platform/base/errors.ts';
import { arrivalErrors } from './arrival-errors.ts';

/** A dictionary of byte sequences (RFC 8941): `name=:base64:`, parameters and unknown algorithms passed over. */
const member = /^[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):(?:;[^,]*)?[ \t]*$/;

/** Hex digits of the sha-256, null without a header. Fails with E_DIGEST_HEADER, also when it has only other algorithms. */
export function parseDigest(header: string | undefined): string | null {
  if (header === undefined) return null;
  let sha256: string | null = null;
  for (const part of header.split(',')) {
    const match = member.exec(part);
    if (!match) throw refused('is not of the form of RFC 9530');
    if (match[1] !== 'sha-256') continue;
    const bytes = Buffer.from(match[2]!, 'base64');
    if (bytes.length !== 32 || bytes.toString('base64') !== match[2]) throw refused('has a sha-256 that is not 32 bytes in base64');
    sha256 = bytes.toString('hex');
  }
  if (sha256 === null) throw refused('has no sha-256');
  return sha256;
}

function refused(what: string): HeadgateError {
  return new HeadgateError(arrivalErrors.E_DIGEST_HEADER, `a digest header ${what}`);
}
