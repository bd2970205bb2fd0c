/**
 * Finds secrets that were written into a document instead of referred to, by the names of keys and by the look of values.
 * The value is never repeated. Field names and output fields are no secrets, whatever they are called.
 */
import { readSecretReference } from '../../../platform/secrets/secret-references.ts';
import { flowErrors } from '../flow-errors.ts';
import type { Path, Report } from './diagnostics.ts';
import type { RawValue } from './raw-value.ts';

const secretKey =
  /^(?:.*(?:password|passwd|passphrase|secret|apikey|api_key|api-key|privatekey|private_key|accesskey|access_key|credential).*|token|pwd|.*(?:auth|access|refresh|bearer)_?-?token)$/i;
const secretLooks = [
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /^[a-z][a-z0-9+.-]{1,20}:\/\/[^/\s:@]*:[^/\s@]+@/i,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\bhg_(?:live|test)_[A-Za-z0-9_-]{16,}/,
  /\bgh[pousr]_[A-Za-z0-9]{30,}/,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\./,
  /^(?:Bearer|Basic) [A-Za-z0-9+/=._-]{8,}$/,
];
const isDescriptionOfData = (path: Path): boolean => path[0] === 'spec' && ['schema', 'transform', 'masking'].includes(String(path[1]));

export function findInlineSecrets(root: RawValue, report: Report): void {
  visit(root, []);

  function visit(raw: RawValue, path: Path): void {
    if (raw.kind === 'list') raw.items.forEach((item, index) => void visit(item, [...path, index]));
    else if (raw.kind === 'map') for (const [key, value] of raw.entries) visit(value, [...path, key]);
    else if (raw.value !== null && typeof raw.value !== 'boolean' && isSecret(raw.source, path)) {
      report.add({
        code: flowErrors.E_SECRET_INLINE,
        path,
        message: `${path.at(-1)} holds a secret; write env:NAME or file:/absolute/path`,
        atValue: true,
      });
    }
  }
}

function isSecret(text: string, path: Path): boolean {
  if (readSecretReference(text) !== null) return false;
  if (secretLooks.some((looks) => looks.test(text))) return true;
  const key = path.findLast((step) => typeof step === 'string') ?? '';
  return !isDescriptionOfData(path) && secretKey.test(String(key));
}
