/** Whether a decision is about what its dry run showed: the version of a set of things, which goes back with the decision. */
import { createHash } from 'node:crypto';

/** Of things by their ids, in whatever order. */
export function versionOfIds(ids: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([...ids].sort()))
    .digest('hex')
    .slice(0, 32);
}
