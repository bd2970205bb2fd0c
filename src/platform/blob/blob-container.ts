/**
 * A bucket or container, opened. Nothing is overwritten here, nothing is tried again, and what is read or removed is the object
 * that was meant, by its ETag, or nothing. Every request has an end in time.
 */
import type { Metadata, Operator } from 'opendal';
import type { Rng, Sleep } from '../base/ports.ts';
import { BlobFailure, blobFailureOf } from './blob-failure.ts';
import { openBlobOperator } from './blob-operator.ts';
import { deadline, withPace } from './blob-pace.ts';
import { type BlobCredentials, type BlobService, destinationsOf } from './blob-service.ts';
import type { AddressesOf, Admission } from './egress-gate.ts';
import { processEgressGate } from './opendal-client.ts';

export interface Blob {
  /** Whole, with slashes. */
  readonly name: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Differs for every content that a name has had. */
  readonly etag: string;
  /** Null where the service keeps no versions, and in listings of those that do not tell it there. */
  readonly version: string | null;
}

/** Names of objects are plain: fails with `failed` for one that begins or ends with white space, has an empty part, `.` or `..`, or NUL. */
export interface BlobContainer {
  /**
   * Objects whose name is the prefix and no further slash; the prefix is empty or ends with one. Fails where there are more than
   * `namesMax`. `onPage` is awaited now and then.
   */
  list(prefix: string, options: { readonly namesMax: number; readonly onPage: () => Promise<void> }): Promise<Blob[]>;
  look(name: string): Promise<Blob | undefined>;
  /** Exactly so many bytes from a position, at least one. Fails with `changed` when the object is another, with `missing` when it is gone. */
  read(blob: Pick<Blob, 'name' | 'etag'>, range: { readonly from: number; readonly bytes: number }): Promise<Buffer>;
  /** Fails with `exists` instead of overwriting. The service has the whole object when it resolves; after `lost` and `timeout` nobody knows. */
  create(name: string, content: Uint8Array): Promise<void>;
  /** Within the service. The caller has looked whether the new name is free: services can't be asked to refuse. */
  copy(from: string, to: string): Promise<void>;
  /** Missing is fine. Fails with `changed` when the object is another, as far as the service compares; at Google by a look just before. */
  remove(blob: Pick<Blob, 'name' | 'etag'>): Promise<void>;
  close(): void;
}

export interface BlobContainerOptions {
  readonly service: BlobService;
  readonly credentials: BlobCredentials;
  /** Judges each address at the moment of connecting. */
  readonly addressesOf: AddressesOf;
  readonly rng: Rng;
  /** For an answer, and for each piece of one. */
  readonly timeoutMs?: number;
  /** With it, lists and reads that are too slow are given up. */
  readonly sleep?: Sleep;
}

/**
 * Makes no connection to the service. Fails with a BlobFailure, and with what the judge says: it is asked here too, because
 * somebody else may have admitted the same host.
 */
export async function openBlobContainer(options: BlobContainerOptions): Promise<BlobContainer> {
  const { service, credentials, addressesOf, timeoutMs = 20_000 } = options;
  const operator = openBlobOperator({ service, credentials, timeoutMs });
  const destinations = destinationsOf(service, credentials);
  for (const { host } of destinations) await addressesOf(host);
  const gate = await processEgressGate(options.rng);
  const admissions = destinations.map((destination) => gate.admit(destination, addressesOf));
  return createContainer(operator, admissions, { comparesOnRemove: service.kind !== 'gcs', sleep: options.sleep });
}

/** Others would be trimmed, or led elsewhere, on the way to the service, and be those of another object; or PostgreSQL can't keep them. */
export function isPlainName(name: string): boolean {
  return (
    name.isWellFormed() &&
    !name.includes('\0') &&
    name.trim() === name &&
    name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

function assertPlainName(name: string): void {
  if (!isPlainName(name)) throw new BlobFailure('failed', 'the name of an object is none that can be asked for');
}

/** Each page comes in time or not at all; a service decides how many it makes of the names. */
const listingMsMax = 300_000;
/** Between two calls of `onPage`. */
const namesPerPage = 1_000;

function createContainer(
  operator: Operator,
  admissions: readonly Admission[],
  { comparesOnRemove, sleep }: { readonly comparesOnRemove: boolean; readonly sleep: Sleep | undefined },
): BlobContainer {
  const failures = () => admissions.reduce((sum, admission) => sum + admission.failures, 0);

  /** OpenDAL does not tell a connection that was not made from one that was lost; the gate does. */
  async function translated<T>(work: () => Promise<T>): Promise<T> {
    const before = failures();
    try {
      return await work();
    } catch (error) {
      const failure = blobFailureOf(error);
      const isRefused = failure.kind === 'unreachable' || (failure.kind === 'lost' && failures() > before);
      if (!isRefused) throw failure;
      const { lastFailure } = admissions.find((admission) => admission.lastFailure !== undefined) ?? {};
      throw new BlobFailure('unreachable', 'the service could not be reached', lastFailure);
    }
  }

  function look(name: string): Promise<Blob | undefined> {
    return translated(async () => {
      assertPlainName(name);
      try {
        const metadata = await operator.stat(name);
        return metadata.isFile() ? blobOf(name, metadata) : undefined;
      } catch (error) {
        const failure = blobFailureOf(error);
        if (failure.kind === 'missing') return undefined;
        throw failure;
      }
    });
  }

  /** Of Google OpenDAL can't ask for a condition here: what takes the name between look and removal is removed. */
  async function removeAfterLook(name: string, etag: string): Promise<void> {
    const now = await look(name);
    if (now !== undefined && now.etag !== etag) throw new BlobFailure('changed', 'the object is not the one that was meant');
    if (now !== undefined) await operator.delete(name);
  }

  return {
    list: (prefix, { namesMax, onPage }) =>
      translated(async () => {
        const lister = await operator.lister(prefix === '' ? '/' : prefix);
        const found: Blob[] = [];
        const time = deadline(listingMsMax, sleep);
        try {
          for (let seen = 1; ; seen++) {
            const entry = await lister.next();
            if (entry === null) return found;
            if (time.isOver) throw new BlobFailure('timeout', `the service did not list the folder within ${listingMsMax / 1_000} s`);
            if (seen > namesMax) throw new BlobFailure('failed', `the folder holds more than ${namesMax} names`);
            if (seen % namesPerPage === 0) await onPage();
            const metadata = entry.metadata();
            if (metadata.isFile()) found.push(blobOf(entry.path(), metadata));
          }
        } finally {
          time.end();
        }
      }),
    look,
    read: ({ name, etag }, { from, bytes }) =>
      translated(() => {
        assertPlainName(name);
        const ask = () => operator.read(name, { offset: BigInt(from), size: BigInt(bytes), ifMatch: etag });
        return sleep === undefined ? ask() : withPace({ admissions, sleep }, ask);
      }),
    async create(name, content) {
      try {
        assertPlainName(name);
        await operator.write(name, Buffer.from(content.buffer, content.byteOffset, content.byteLength), { ifNotExists: true });
      } catch (error) {
        throw blobFailureOf(error, true);
      }
    },
    copy: (from, to) =>
      translated(() => {
        assertPlainName(from);
        assertPlainName(to);
        return operator.copy(from, to);
      }),
    async remove({ name, etag }) {
      try {
        await translated(() => {
          assertPlainName(name);
          return comparesOnRemove ? operator.delete(name, { ifMatch: etag }) : removeAfterLook(name, etag);
        });
      } catch (error) {
        // What is missing is not what was meant either, for some services.
        if (!(error instanceof BlobFailure) || error.kind !== 'changed' || (await look(name)) !== undefined) throw error;
      }
    },
    close() {
      for (const admission of admissions) admission.end();
    },
  };
}

function blobOf(name: string, metadata: Metadata): Blob {
  const { contentLength, etag, lastModified, version } = metadata;
  if (contentLength === null || etag === null || etag === '')
    throw new BlobFailure('answer', 'the service does not tell size or ETag of an object');
  return { name, bytes: Number(contentLength), modifiedMs: lastModified === null ? 0 : Date.parse(lastModified), etag, version };
}
