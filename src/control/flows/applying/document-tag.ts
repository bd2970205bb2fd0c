/**
 * Names what is in force of a document, so that a change that was planned against it is refused once it is another. It holds the
 * hash, which covers kind, name and content, so that the tag of another document does not fit.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { flowStoreErrors } from './flow-store-errors.ts';

/** Nothing of this kind and name is in force. */
export const noneInForce = 'none';

/** A version of a flow never changes; others may have the same content. */
export const tagOfFlow = ({ version, hash }: { readonly version: string; readonly hash: string }): string => `${version}-${hash}`;

/** Of two revisions with the same content the later one is another all the same. */
export const tagOfDefinition = ({ revision, hash }: { readonly revision: number; readonly hash: string }): string => `${revision}-${hash}`;

/** `expected`: null fits anything. Fails with E_DEFINITION_STALE. */
export function checkTag(tag: string, expected: readonly string[] | null): void {
  if (expected === null || expected.includes(tag)) return;
  const message =
    tag === noneInForce
      ? 'nothing of this kind and name is in force, unlike when the change was planned'
      : 'another document of this kind and name is in force than when the change was planned';
  throw new HeadgateError(flowStoreErrors.E_DEFINITION_STALE, message);
}
