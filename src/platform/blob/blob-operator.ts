/**
 * OpenDAL's operator for a bucket or container. Where it connects to is judged by the gate only for those who open a
 * container (`blob-container.ts`); the product's own object store is the choice of whoever runs it.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Operator } from 'opendal';
import { blobFailureOf } from './blob-failure.ts';
import { type BlobCredentials, type BlobService, operatorOptions } from './blob-service.ts';

export interface BlobOperatorOptions {
  readonly service: BlobService;
  readonly credentials: BlobCredentials;
  /** For an answer, and for each piece of one. */
  readonly timeoutMs: number;
  /** How often a request that failed for a passing reason is sent again. */
  readonly retries?: number;
}

/** Loaded when it is first needed: it is a big library, and most processes need it never. Its CommonJS form lacks the time limits. */
function loadOpenDal(): typeof import('opendal') {
  const load = createRequire(import.meta.url);
  return load(join(dirname(load.resolve('opendal/package.json')), 'index.mjs')) as typeof import('opendal');
}

/** Makes no connection. Fails with a BlobFailure. */
export function openBlobOperator({ service, credentials, timeoutMs, retries = 0 }: BlobOperatorOptions): Operator {
  const { scheme, options } = operatorOptions(service, credentials);
  const opendal = loadOpenDal();
  const limits = new opendal.TimeoutLayer();
  limits.timeout = timeoutMs;
  limits.ioTimeout = timeoutMs;
  try {
    const operator = new opendal.Operator(scheme, { ...options }).layer(limits.build());
    if (retries === 0) return operator;
    const again = new opendal.RetryLayer();
    again.maxTimes = retries;
    again.minDelay = 100;
    again.maxDelay = 1_000;
    again.jitter = true;
    return operator.layer(again.build());
  } catch (error) {
    throw blobFailureOf(error);
  }
}
