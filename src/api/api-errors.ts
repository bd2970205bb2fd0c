/** Errors that only callers of the API can cause. */
import { defineErrors } from '../platform/base/errors.ts';

export const apiErrors = defineErrors({
  E_REQUEST: {
    meaning: 'The request does not have the shape that the API describes.',
    actor: 'caller',
    next: 'Correct the named field; the shape is at /docs.',
  },
  E_UNAUTHENTICATED: {
    meaning: 'No valid API key came with the request.',
    actor: 'caller',
    next: 'Send `Authorization: Bearer hg_live_…` with a key that is neither revoked nor expired, and was made beside this server: `headgate key create` in the same data folder (`HEADGATE_DATA_DIR`) or database.',
  },
  E_FORBIDDEN: {
    meaning: 'The key does not have the scope that this action needs.',
    actor: 'administrator',
    next: 'Use a key with the named scope, or have one made: `headgate key create TENANT --scopes …`.',
  },
  E_NOT_FOUND: {
    meaning: 'There is nothing of that name or id that this key may see.',
    actor: 'caller',
    next: 'Check the id; list what there is.',
  },
  E_IF_MATCH_REQUIRED: {
    meaning: 'A document is only applied by a request that says in `If-Match` what it was planned against.',
    actor: 'caller',
    next: 'Send the same with `dryRun: true` first, and then with the `ETag` of that answer as `If-Match`; or `If-Match: *` to apply it whatever is in force.',
  },
  E_MEDIA_TYPE: {
    meaning: 'The body is of a media type that this address does not take.',
    actor: 'caller',
    next: 'Send the media type that /docs names.',
  },
  E_EXPECTATION: {
    meaning: 'The request expects something of the server (`Expect`) that it does not do.',
    actor: 'caller',
    next: 'Send it without `Expect`, or with `Expect: 100-continue`.',
  },
  E_TRANSFER_ENCODING: {
    meaning: 'The body of the request has a transfer coding that is not taken.',
    actor: 'caller',
    next: 'Send it with `Transfer-Encoding: chunked` alone or a `Content-Length`; a packed file with `Content-Encoding: gzip` or `zstd`.',
  },
  E_REQUEST_TOO_LARGE: {
    meaning: 'The body of the request is larger than the setting requestBytesMax.',
    actor: 'caller',
    next: 'Send less, or have the setting raised.',
  },
  E_HEADERS_TOO_LARGE: {
    meaning: 'The headers of the request are larger than 16 KiB.',
    actor: 'caller',
    next: 'Send fewer or shorter headers.',
  },
  E_REQUEST_TIMEOUT: {
    meaning: 'The request did not come whole within the setting requestTimeoutMs.',
    actor: 'caller',
    next: 'Send it again, without pauses.',
    retryable: true,
  },
  E_TOO_MANY_REQUESTS: {
    meaning: 'Too many requests of a kind that is limited came in a short time, or are open at once.',
    actor: 'caller',
    next: 'Wait as long as `Retry-After` says, and try again.',
    retryable: true,
  },
  E_CURSOR: { meaning: 'The cursor was not made by this list.', actor: 'caller', next: 'Start again without a cursor.' },
  E_NOT_READY: {
    meaning: 'This process cannot serve requests now.',
    actor: 'operator',
    next: 'Look at /readyz for what is missing; try again shortly.',
    retryable: true,
  },
  E_INTERNAL: {
    meaning: 'A fault of the product; the trace id leads to its log line.',
    actor: 'administrator',
    next: 'Look up the trace id in the logs.',
  },
});
