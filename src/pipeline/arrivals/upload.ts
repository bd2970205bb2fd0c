/**
 * One file by upload. Nothing is kept before admission, nothing is answered before COMMIT, and an upload that ends early
 * leaves nothing. The answers are those of decisions 34; what went wrong on the sender's side is thrown with its code.
 */
import { createHash } from 'node:crypto';
import { accessErrors } from '../../platform/access/access-errors.ts';
import {
  checkKey,
  findKeptAnswer,
  hashOfRequest,
  type KeptAnswer,
  KeyTakenError,
  keepAnswer,
  sameAnswer,
  takeKey,
} from '../../platform/access/idempotency-keys.ts';
import { tenantNameOf } from '../../platform/access/tenant-names.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { createPlaces, type Places } from '../../platform/base/places.ts';
import { isPlanted } from '../../platform/base/planted-faults.ts';
import type { Ports } from '../../platform/base/ports.ts';
import { givesMembers, headBytes, type Packing, packingOf, type Unpack } from '../../platform/packing/packings.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { storageErrors } from '../../platform/storage/storage-errors.ts';
import { formatTraceparent } from '../../platform/telemetry/trace-context.ts';
import { withSpan } from '../../platform/telemetry/tracing.ts';
import { currentWork } from '../../platform/telemetry/work-context.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { type Admission, type Refusal, type Reservation, readUsage, renewUsage, type Usage } from './admission.ts';
import { type ArrivalErrorCode, arrivalErrors } from './arrival-errors.ts';
import type { ArrivalPlans } from './arrival-plan.ts';
import { countRecentlyAccepted, moveArrivals, seeArrivals } from './arrival-store.ts';
import { packedUnnamed, packingOfEncoding } from './content-encoding.ts';
import { parseDigest } from './digest-headers.ts';
import { proveEnabled } from './enabled-flow.ts';
import type { ArrivalVerdict } from './file-acceptance.ts';
import type { FileIntake, ReceiveContext, ReceivedArrival } from './file-intake.ts';
import { createNameMatcher, problemOfName } from './file-name.ts';
import type { ReceivedFile } from './file-receiver.ts';
import { isSourceRateReached, sourceRateReached } from './source-rate.ts';
import { KeyQueue } from './upload-keys.ts';

export interface UploadRequest {
  readonly tenantId: string;
  readonly flowName: string;
  /** Of type sftp-server; left out, the flow's source of type http. */
  readonly sourceId?: string;
  readonly name: string;
  readonly headers: {
    /** `Repr-Digest` and `Content-Digest`; both are of the body as it comes. */
    readonly reprDigest?: string;
    readonly contentDigest?: string;
    readonly idempotencyKey?: string;
    readonly contentLength?: number;
    readonly contentEncoding?: string;
  };
  /** Rejects when the sender goes away. Read to its end unless the answer is a refusal or an error. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly traceparent?: string | null;
  /** `key:<id>`, or `sftp:<user>`. */
  readonly actor: string;
}

interface Taken {
  readonly arrivalId: string;
  /** Of the body as received. */
  readonly sha256: string;
  readonly bytes: number;
}

export type UploadAnswer =
  | (Taken & {
      readonly kind: 'accepted';
      readonly fileId: string;
      readonly acceptedNumber: number;
      readonly duplicateOf: string | null;
      readonly sameNameAs: string | null;
    })
  /** Its members have arrivals of their own. */
  | (Taken & { readonly kind: 'unpacked' })
  | (Taken & { readonly kind: 'duplicate'; readonly of: string })
  | (Taken & { readonly kind: 'held' | 'quarantined'; readonly code: ArrivalErrorCode; readonly reason: string })
  | Refusal;

/** What HTTP says to each; 429 or 507 to a refusal, by its reason (decisions 34). */
export const uploadStatus = { accepted: 201, unpacked: 201, duplicate: 200, held: 202, quarantined: 422 } as const;

export interface UploadParts {
  readonly db: Db;
  readonly ports: Ports;
  readonly intake: FileIntake;
  readonly admission: Admission;
  readonly plans: ArrivalPlans;
  /** Why the disk has no room for so many bytes; completes "the disk …". */
  readonly lackOfSpace: (bytes: number) => string | undefined;
  /** Uploads that take memory while they are unpacked, at once: zstd, whose windows take 8 MiB each, and archives. One tenant has a quarter. */
  readonly packedMax: number;
}

export interface Uploads {
  /** Fails with the codes of arrival-errors.ts that name uploads, digests, names, keys and flows; then nothing was kept. */
  receiveUpload(request: UploadRequest): Promise<UploadAnswer>;
}

const scope = 'files';

type KeyedAnswer = Exclude<UploadAnswer, Refusal>;

export function createUploads(parts: UploadParts): Uploads {
  const queue = new KeyQueue();
  const unpacking = createPlaces({ tenantMax: Math.ceil(parts.packedMax / 4), processMax: parts.packedMax });
  return {
    async receiveUpload(request) {
      const key = checkKey(request.headers.idempotencyKey);
      // Over HTTP it came with the key.
      const tenant = currentWork().tenant ?? (await tenantNameOf(parts.db, request.tenantId));
      const work = { tenant, flow: request.flowName };
      return withSpan('arrival', { parent: request.traceparent ?? undefined, work }, async (span) => {
        const trace = { traceId: span.context.traceId, traceParent: formatTraceparent(span.context) };
        const turn = key === null ? null : `${request.tenantId}/${key}`;
        const answer = await queue.run(turn, () => new Upload(parts, unpacking, request, key, trace).run());
        const taken = answer.kind === 'refused' ? {} : { arrivalId: answer.arrivalId, bytes: answer.bytes };
        span.set({ ...taken, outcome: answer.kind });
        return answer;
      });
    },
  };
}

/** More room is asked for in such steps where the sender did not say how much comes. */
const growBytes = 8 * 1024 * 1024;

class RefusedMeanwhile extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super('refused while the body came');
    this.refusal = refusal;
  }
}

class Upload {
  readonly #parts: UploadParts;
  readonly #unpacking: Places;
  readonly #request: UploadRequest;
  readonly #key: string | null;
  readonly #trace: { readonly traceId: string; readonly traceParent: string };

  constructor(
    parts: UploadParts,
    unpacking: Places,
    request: UploadRequest,
    key: string | null,
    trace: { readonly traceId: string; readonly traceParent: string },
  ) {
    this.#parts = parts;
    this.#unpacking = unpacking;
    this.#request = request;
    this.#key = key;
    this.#trace = trace;
  }

  async run(): Promise<UploadAnswer> {
    const { headers, name, tenantId } = this.#request;
    const digests = [parseDigest(headers.reprDigest), parseDigest(headers.contentDigest)].filter((digest) => digest !== null);
    const encoding = packingOfEncoding(headers.contentEncoding);
    const nameProblem = problemOfName(name);
    if (nameProblem !== null) throw new HeadgateError(arrivalErrors.E_NAME, nameProblem);
    const prepared = await this.#prepare(encoding);
    if (prepared.kept !== undefined) return this.#answerAgain(prepared.kept, digests);

    const { context, usage, sourceFiles } = prepared;
    const { limits, source } = context;
    if ((headers.contentLength ?? 0) > source.limits.bytesMax) throw tooLarge(source.limits.bytesMax);
    const lack = this.#parts.lackOfSpace(headers.contentLength ?? 0);
    // What is known not to fit is not begun, and the last room is the database's.
    if (lack !== undefined) throw new HeadgateError(storageErrors.E_STORAGE_FULL, `the disk ${lack}; nothing was kept`);
    if (source.limits.filesPerMinute !== null && sourceFiles >= source.limits.filesPerMinute) return sourceRateReached;
    const answer = this.#parts.admission.admit({ tenantId, usage, limits, files: 1, bytes: headers.contentLength ?? growBytes });
    if (answer.kind === 'refused') return answer;
    const leave = takesMemory(source.unpack) ? this.#unpacking.take(tenantId) : () => {};
    if (leave === undefined) {
      answer.end();
      return { kind: 'refused', code: 'E_UNPACK_BUSY', limit: 'unpacking', reason: 'busy', retryAfterMs: 1_000 };
    }
    try {
      const received = await this.#receive(context, answer, usage);
      return await this.#accept(context, received, digests);
    } catch (error) {
      if (error instanceof RefusedMeanwhile) return error.refusal;
      throw error;
    } finally {
      leave();
      answer.end();
    }
  }

  async #prepare(encoding: Packing | null) {
    const { db, plans } = this.#parts;
    const { tenantId, flowName, sourceId, name } = this.#request;
    return withTenant(
      db,
      tenantId,
      async (tx) => {
        // Before the flow: what happened under the key stays so, whatever the flow takes by now.
        const kept = this.#key === null ? undefined : await findKeptAnswer<KeyedAnswer>(tx, { scope, key: this.#key });
        if (kept !== undefined) return { kept };
        const { flow, source, isEnabled } = await plans.byName(tx, flowName, sourceId);
        if (!isEnabled) throw new HeadgateError(arrivalErrors.E_FLOW_DISABLED, `the flow ${flow.flowName} is disabled`);
        if (source === null) throw new HeadgateError(arrivalErrors.E_UPLOAD_SOURCE, `the flow ${flow.flowName} takes no uploads`);
        if (!createNameMatcher(source.match)(name))
          throw new HeadgateError(arrivalErrors.E_NAME_MATCH, 'the flow takes uploads of other names only');
        if (encoding !== null && source.unpack.length > 0)
          throw new HeadgateError(
            arrivalErrors.E_CONTENT_ENCODING,
            'the file is packed already; a Content-Encoding on top of that is not taken',
          );
        if (encoding !== null && flow.plan.acknowledge?.format === 'nacha')
          throw new HeadgateError(
            arrivalErrors.E_CONTENT_ENCODING,
            'the flow answers with returns, which are made of files that come as they are: send it without a Content-Encoding',
            { next: 'Send the file unpacked, without a Content-Encoding.' },
          );
        const unpack = encoding === null ? source.unpack : [encoding];
        const context: ReceiveContext = { tenantId, flow, source: { ...source, unpack }, limits: await plans.limits(tx) };
        const sourceFiles =
          source.limits.filesPerMinute === null ? 0 : await countRecentlyAccepted(tx, { flowId: flow.flowId, sourceId: source.sourceId });
        return { kept, context, usage: await readUsage(tx), sourceFiles };
      },
      { readOnly: true },
    );
  }

  /** The same answer for the same request, read to its end to know that it is the same; its bytes are not kept. */
  async #answerAgain(kept: KeptAnswer<KeyedAnswer>, digests: readonly string[]): Promise<UploadAnswer> {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const piece of this.#body()) {
      bytes += piece.length;
      // Longer than what was answered, and so another request.
      if (bytes > kept.response.bytes) return sameAnswer(kept, '');
      hash.update(piece);
    }
    this.#checkLength(bytes);
    const sha256 = hash.digest('hex');
    checkDigests(digests, sha256);
    return sameAnswer(kept, this.#hash(sha256));
  }

  async #receive(context: ReceiveContext, reservation: Reservation, usage: Usage): Promise<ReceivedFile> {
    try {
      return await this.#parts.intake.receive(context, this.#measured(context, reservation, usage), this.#request.headers.contentLength);
    } catch (error) {
      if (error instanceof HeadgateError && error.code === arrivalErrors.E_FILE_TOO_LARGE) throw tooLarge(context.source.limits.bytesMax);
      throw error;
    }
  }

  /** Asks for more room as the body grows beyond what was let in; ends with the whole body or fails. */
  async *#measured({ tenantId, source }: ReceiveContext, reservation: Reservation, known: Usage): AsyncGenerator<Uint8Array> {
    const { contentLength } = this.#request.headers;
    const head: number[] = [];
    let usage = known;
    let roomBytes = contentLength ?? growBytes;
    let bytes = 0;
    for await (const piece of this.#body()) {
      bytes += piece.length;
      if (bytes > roomBytes) {
        const more = Math.max(growBytes, bytes - roomBytes);
        usage = await renewUsage(this.#parts.db, tenantId, usage);
        const refusal = reservation.grow(more, usage);
        if (refusal) throw new RefusedMeanwhile(refusal);
        roomBytes += more;
      }
      if (head.length < headBytes) {
        head.push(...piece.subarray(0, headBytes - head.length));
        const packing = source.unpack.length === 0 ? packingOf(head) : null;
        if (packing !== null) throw packedUnnamed(packing);
      }
      yield piece;
    }
    this.#checkLength(bytes);
  }

  async *#body(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#request.body;
    } catch (error) {
      if (error instanceof HeadgateError) throw error;
      throw new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, 'the upload ended before the whole body had come', { cause: error });
    }
  }

  #checkLength(bytes: number): void {
    const { contentLength } = this.#request.headers;
    if (contentLength !== undefined && bytes !== contentLength)
      throw new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, `${bytes} of ${contentLength} announced bytes came`);
  }

  async #accept(context: ReceiveContext, received: ReceivedFile, digests: readonly string[]): Promise<UploadAnswer> {
    const { intake, ports, db } = this.#parts;
    const { tenantId, name, actor } = this.#request;
    const arrival: ReceivedArrival = {
      arrivalId: ports.ids.next(),
      sourceId: context.source.sourceId,
      name,
      actor,
      ...this.#trace,
      isReleased: true,
      unpack: context.source.unpack,
      sourceVersion: null,
      received,
    };
    const { sha256 } = received.container;
    try {
      checkDigests(digests, sha256);
    } catch (error) {
      await intake.discard([arrival]);
      throw error;
    }
    try {
      const accepting = intake.accept({
        tenantId,
        flow: context.flow,
        arrivals: [arrival],
        before: (tx) => this.#begin(tx, context, arrival),
        after: async (tx, verdicts) => {
          if (await isSourceRateReached(tx, context, verdicts)) throw new RefusedMeanwhile(sourceRateReached);
          const response = answerOf(verdicts[0]!);
          if (this.#key !== null) await keepAnswer(tx, { scope, key: this.#key }, { status: uploadStatus[response.kind], response });
        },
      });
      if (isPlanted('ack-before-commit')) return answerTooEarly(arrival, accepting);
      const [verdict] = await accepting;
      return answerOf(verdict!);
    } catch (error) {
      if (!(error instanceof KeyTakenError)) throw error;
      const kept = await withTenant(db, tenantId, (tx) => findKeptAnswer<KeyedAnswer>(tx, { scope, key: this.#key! }), { readOnly: true });
      if (!kept) throw new HeadgateError(accessErrors.E_KEY_REUSED, 'this Idempotency-Key was used by another upload at the same time');
      return sameAnswer(kept, this.#hash(sha256));
    }
  }

  /** The key first: a second request with it waits here, before it has taken anything. */
  async #begin(tx: TenantTx, context: ReceiveContext, arrival: ReceivedArrival): Promise<void> {
    const { ids } = this.#parts.ports;
    const { arrivalId, name, actor, traceId, traceParent, received } = arrival;
    if (this.#key !== null) await takeKey(tx, { scope, key: this.#key, requestHash: this.#hash(received.container.sha256) });
    await proveEnabled(tx, context.flow);
    const { bytes } = received.container;
    const place = { flowId: context.flow.flowId, sourceId: context.source.sourceId };
    await seeArrivals(tx, ids, [{ arrivalId, ...place, name, sizeBytes: bytes, fingerprint: '', actor, traceId, traceParent }]);
    await moveArrivals(tx, ids, 'complete', [{ arrivalId, from: 'seen', actor, traceId }]);
  }

  #hash(sha256: string): string {
    const { flowName, name } = this.#request;
    return hashOfRequest([flowName, name, sha256]);
  }
}

function answerOf(verdict: ArrivalVerdict): KeyedAnswer {
  const { arrivalId, sha256, bytes, duplicateOf, sameNameAs } = verdict;
  const taken = { arrivalId, sha256, bytes };
  switch (verdict.state) {
    case 'accepted':
      return { kind: 'accepted', ...taken, fileId: verdict.fileId!, acceptedNumber: verdict.acceptedNumber!, duplicateOf, sameNameAs };
    case 'unpacked':
      return { kind: 'unpacked', ...taken };
    case 'duplicate':
      return { kind: 'duplicate', ...taken, of: duplicateOf! };
    case 'held':
    case 'quarantined':
      return { kind: verdict.state, ...taken, code: verdict.code!, reason: verdict.reason! };
  }
}

function answerTooEarly({ arrivalId, received }: ReceivedArrival, accepting: Promise<unknown>): KeyedAnswer {
  accepting.catch(() => undefined);
  const { sha256, bytes } = received.container;
  return { kind: 'accepted', arrivalId, sha256, bytes, fileId: arrivalId, acceptedNumber: 0, duplicateOf: null, sameNameAs: null };
}

/** Of zstd the window, of members those that are small, until all of them are stored. */
function takesMemory(unpack: Unpack): boolean {
  return unpack.includes('zstd') || givesMembers(unpack);
}

function checkDigests(digests: readonly string[], sha256: string): void {
  if (digests.some((digest) => digest !== sha256))
    throw new HeadgateError(arrivalErrors.E_DIGEST, 'the SHA-256 of what arrived is not the one that was sent before it');
}

function tooLarge(bytesMax: number): HeadgateError {
  return new HeadgateError(arrivalErrors.E_UPLOAD_TOO_LARGE, `the upload is larger than ${bytesMax} bytes`);
}
