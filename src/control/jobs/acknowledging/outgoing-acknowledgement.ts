/**
 * An acknowledgement as a connector that holds files sees it: one file of its own, with the same name and the same bytes for
 * every try. Its bytes are made anew each time they are asked for, so that one of any length takes little memory.
 */
import { createHash } from 'node:crypto';
import { scheduler } from 'node:timers/promises';
import type { OutgoingBatch } from '../../../pipeline/connectors/connector.ts';
import { fileNameOf } from '../../../pipeline/connectors/output-files/file-name.ts';
import type { AcknowledgePlan, TargetPlan } from '../../../pipeline/engine/plan.ts';
import type { SealedStore } from '../../../platform/storage/object-store.ts';
import type { OpenedAcknowledgement } from '../views/file-acknowledgement.ts';
import type { AcknowledgedJob, AcknowledgementLevel, PendingAcknowledgement } from './acknowledgement-rows.ts';

export interface AcknowledgementContext {
  readonly store: SealedStore;
  readonly tenantId: string;
  readonly flowName: string;
  readonly job: AcknowledgedJob;
  readonly pending: PendingAcknowledgement;
  readonly opened: OpenedAcknowledgement;
  readonly plan: AcknowledgePlan;
  /** Rises with each claim of the work, so that no two tries share a temporary name. */
  readonly attempt: number;
  readonly assertOurs: () => void;
  readonly oursForMs: number;
  readonly traceparent: string;
}

/** Reads all of it once, for its length and hash. Fails as the store does where its records can't be read. */
export async function openOutgoingAcknowledgement(context: AcknowledgementContext): Promise<OutgoingBatch> {
  const { store, tenantId, flowName, job, pending, opened, plan, attempt, assertOurs, oursForMs, traceparent } = context;
  const { acknowledgementId, level } = pending;
  const piecesOf = () => opened.pieces({ level, format: plan.format });
  const { sizeBytes, sha256 } = await measure(piecesOf());
  function* pieces() {
    for (const piece of piecesOf()) {
      assertOurs();
      if (piece.length > 0) yield piece;
    }
  }
  return {
    batchId: acknowledgementId,
    attempt,
    // The same bytes under its name say what it says, and are its own: of a try that may have written them, or from before somebody asked for it again.
    possibleDuplicate: true,
    isIdSent: true,
    jobIds: [job.jobId],
    flowName,
    fileName: opened.fileName,
    number: String(job.acceptedNumber),
    sequence: null,
    part: '',
    cutAt: opened.closedAt,
    records: 1,
    amounts: {},
    body: { sizeBytes, sha256, preamble: new Uint8Array(0), pieces, lines: pieces },
    assertOurs,
    oursForMs,
    secretFor: (purpose) => store.deriveKey(tenantId, job.object, `${purpose} ${acknowledgementId}`),
    deliveryKeys: async () => [acknowledgementId],
    recordIds: async () => [job.jobId],
    orderKeys: null,
    traceparent,
  };
}

async function measure(pieces: Iterable<Uint8Array>): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const digest = createHash('sha256');
  let sizeBytes = 0;
  for (const piece of pieces) {
    digest.update(piece);
    sizeBytes += piece.length;
    await scheduler.yield();
  }
  return { sizeBytes, sha256: digest.digest('hex') };
}

/** At servers of partners, that allow few connections. */
const concurrency = 4;

/** What stands for a target where a connector is opened; `type` is the connector's name. */
export function targetOf(plan: AcknowledgePlan, level: AcknowledgementLevel, type: string): TargetPlan {
  const { connection, path, encrypt, sign, timeoutMs, retry } = plan;
  return {
    id: `acknowledge-${level}`,
    type,
    connection,
    body: { format: 'ndjson' },
    batchRecords: 1,
    batchBytes: Number.MAX_SAFE_INTEGER,
    order: 'none',
    lanes: 0,
    onUnknown: 'resend',
    onExhausted: 'dead-letter',
    timeoutMs,
    concurrency,
    ratePerSecond: null,
    retry,
    breaker: { windowMs: 0, failureRatio: 1, minCalls: 1, probeEveryMs: 0, probes: 1 },
    backup: null,
    settings: { path, name: nameTemplateOf(plan, level), encrypt, sign },
  };
}

const extensions: Readonly<Record<AcknowledgePlan['format'], string>> = { json: 'json', csv: 'csv', 'pain.002': 'xml', nacha: 'ach' };

/** With what is known of every file of a level filled in; the rest is filled in as for any file that leaves. */
function nameTemplateOf({ name, format, encrypt }: AcknowledgePlan, level: AcknowledgementLevel): string {
  const own = extensions[format];
  const texts: Readonly<Record<string, string>> = { level, extension: encrypt ? `${own}.pgp` : own };
  return name.replace(/\{(level|extension)(?::(\d+))?\}/g, (_, text: string, width = '0') => texts[text]!.padEnd(Number(width)));
}

/** Fails with E_TARGET, as the connector does. */
export function nameOf({ settings, id: targetId }: TargetPlan, batch: OutgoingBatch): string {
  return fileNameOf(settings['name'] as string, { targetId, format: 'ndjson', isEncrypted: settings['encrypt'] === true, batch });
}
