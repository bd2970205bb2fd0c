/** What a change of configuration was planned against: `ETag` of what was read or planned, `If-Match` of what is applied (RFC 9110). */
import type { FastifyRequest } from 'fastify';
import { HeadgateError } from '../platform/base/errors.ts';
import { apiErrors } from './api-errors.ts';
import { header, headerOf } from './request-headers.ts';

export const ifMatchHeader = header(
  'Needed unless `dryRun`: the `ETag` of what the change was planned against, refused (412) when that is not in force any more; or `*`, whatever is.',
);

export const entityTag = (tag: string): string => `"${tag}"`;

/** Of RFC 9110, section 8.8.3. */
const entityTagPattern = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/;
const entityTags = new RegExp(`^\\s*${entityTagPattern.source}(\\s*,\\s*${entityTagPattern.source})*\\s*$`);

/** The tags of which one must be in force; null: whatever is. Weak ones never fit. Fails with E_IF_MATCH_REQUIRED and E_REQUEST. */
export function readIfMatch(request: FastifyRequest, { isNeeded }: { readonly isNeeded: boolean }): readonly string[] | null {
  const value = headerOf(request, 'if-match')?.trim();
  if (value === undefined && isNeeded)
    throw new HeadgateError(apiErrors.E_IF_MATCH_REQUIRED, 'the request does not say in If-Match what the change was planned against');
  if (value === undefined || value === '*') return null;
  if (!entityTags.test(value))
    throw new HeadgateError(apiErrors.E_REQUEST, 'If-Match is * or an ETag as it was answered, with its quotation marks');
  return [...value.matchAll(new RegExp(entityTagPattern, 'g'))].filter(([, weak]) => weak === undefined).map(([, , tag]) => tag!);
}
