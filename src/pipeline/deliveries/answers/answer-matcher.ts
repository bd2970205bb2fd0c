/**
 * Matches a batch of answers to the batches that they are about: first those whose file they name, else those that expect an answer,
 * the newest first. An answer is about the first batch that has what it names. Each batch is told in a transaction of its own, and
 * telling it again changes nothing, so that an attempt that was cut off is simply made again. Sees one tenant only.
 */
import { scheduler } from 'node:timers/promises';
import type { CrashPoints } from '../../../platform/base/crash-points.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ports } from '../../../platform/base/ports.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import type { SealedStore } from '../../../platform/storage/object-store.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { Metrics } from '../../../platform/telemetry/metrics.ts';
import { parseTraceparent } from '../../../platform/telemetry/trace-context.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import type { AnswersToMatch, DeliveryOutcome, MatchAnswers, RecordResult } from '../../connectors/connector.ts';
import { connectorErrors } from '../../connectors/connector-errors.ts';
import { OutputFields } from '../../engine/bodies/output-fields.ts';
import { loadBatches } from '../batch-load.ts';
import { commitForCertain } from '../certain-transaction.ts';
import type { DeliveryDefinitions } from '../delivery-definitions.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import { recordsAt } from '../endings/batch-records.ts';
import { isUnreadable } from '../endings/unreadable-codes.ts';
import type { WorkQueue } from '../work-queue-port.ts';
import { clearHits } from './ambiguous-answers.ts';
import type { AnswerSettings } from './answer-settings.ts';
import { AnswerTable } from './answer-table.ts';
import { findHits, type Hits, noHits, type SentBatch } from './batch-answers.ts';
import { type AnsweredBatch, batchIdOf, findExpectingBatches, findNamedBatches, isUnderWay } from './expected-answers.ts';
import { recordWords } from './record-answers.ts';
import {
  type AnswerOrigin,
  type BatchWords,
  type RefusedRecord,
  type ToldBatch,
  tellBatch,
  toldParts,
  writeRefusals,
} from './told-batch.ts';

export interface AnswerMatcherOptions {
  readonly db: Db;
  readonly store: SealedStore;
  readonly queue: WorkQueue;
  readonly definitions: Pick<DeliveryDefinitions, 'loadFlow'>;
  readonly ports: Ports;
  readonly metrics: Pick<Metrics, 'add'>;
  readonly logger: Logger;
  readonly crashPoints: CrashPoints;
}

const pageBatches = 100;
const pauseLines = 4_096;
/** An answer may come before its delivery is written down: so often, and after so long, it is looked for again. */
const overtaking = { attempts: 3, afterMs: 2_000 };

export function createAnswerMatcher(options: AnswerMatcherOptions): MatchAnswers {
  return async (request, signal) => {
    try {
      return await new Matching(options, request, signal).run();
    } catch (error) {
      // Telling it again changes nothing.
      if (signal.aborted)
        return {
          kind: 'refused',
          retryable: true,
          code: connectorErrors.E_TARGET_TIMEOUT,
          message: 'the answers were not matched in time',
        };
      if (!(error instanceof HeadgateError)) throw error;
      return { kind: 'refused', retryable: true, code: error.code, message: error.message };
    }
  };
}

const problemCodes = { 'no name': deliveryErrors.E_ANSWER_UNNAMED, 'unknown status': deliveryErrors.E_ANSWER_STATUS } as const;
const messages: Readonly<Record<string, string>> = {
  [deliveryErrors.E_ANSWER_UNNAMED]: 'the answer names no file, group or record, or is about one record and does not name it',
  [deliveryErrors.E_ANSWER_STATUS]: 'the status of the answer is none that the target knows',
  [deliveryErrors.E_ANSWER_UNMATCHED]: 'nothing that was delivered is what the answer names',
  [deliveryErrors.E_ANSWER_AMBIGUOUS]: 'several records of the file have the key that the answer names',
  [deliveryErrors.E_ANSWER_CONTRADICTS]: 'an earlier answer said otherwise for good; that one stands',
};

class Matching {
  readonly #options: AnswerMatcherOptions;
  readonly #request: AnswersToMatch;
  readonly #signal: AbortSignal;
  readonly #settings: AnswerSettings;
  readonly #table: AnswerTable;
  /** By answer: the batch that it is about, as an index into `#looked`; -1: none so far. */
  readonly #found: Int32Array;
  readonly #looked: AnsweredBatch[] = [];
  readonly #contradicting = new Set<number>();
  readonly #ambiguous = new Set<number>();
  #answerRecords: Promise<readonly string[]> | null = null;

  constructor(options: AnswerMatcherOptions, request: AnswersToMatch, signal: AbortSignal) {
    this.#options = options;
    this.#request = request;
    this.#signal = signal;
    this.#settings = request.target.settings as unknown as AnswerSettings;
    this.#table = new AnswerTable(request.batch.records, this.#settings, options.ports.rng.bytes(16));
    this.#found = new Int32Array(request.batch.records).fill(-1);
  }

  async run(): Promise<DeliveryOutcome> {
    await this.#readAnswers();
    await this.#lookAtNamed();
    await this.#lookAtExpecting();
    return await this.#outcome();
  }

  async #readAnswers(): Promise<void> {
    const { batch, plan, target } = this.#request;
    const indexOf = (name: string | undefined) => (name === undefined ? null : plan.output.findIndex((field) => field.name === name));
    const { file, group, key, status, reason, level } = this.#settings;
    const fields = new OutputFields(target.body, plan.output, [file, group, key, status, reason, level].map(indexOf));
    for (const line of batch.body.lines()) {
      fields.read(line);
      this.#table.add(fields);
      if (this.#table.length % pauseLines === 0) await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    this.#signal.throwIfAborted();
    await scheduler.yield();
  }

  /** Batches whose file is named. */
  async #lookAtNamed(): Promise<void> {
    const { files } = this.#table;
    if (files.length === 0) return;
    const named = await this.#read((tx) => findNamedBatches(tx, this.#settings.of, files));
    const filesOf = new Map<string, number[]>();
    // What looks like the id of a batch may be the name of a file all the same.
    for (const [index, name] of files.entries())
      for (const key of new Set([name, batchIdOf(name) ?? name])) filesOf.set(key, [...(filesOf.get(key) ?? []), index]);
    for (const each of named) {
      const names = [each.batchId, each.name, each.stem];
      const own = new Set(names.flatMap((text) => (text === null ? [] : (filesOf.get(text) ?? []))));
      await this.#lookAt(each, toldParts.named, (answer) => own.has(this.#table.file[answer]!));
    }
  }

  /** Batches that expect an answer, as long as answers that name no file are left. */
  async #lookAtExpecting(): Promise<void> {
    let left = 0;
    for (let answer = 0; answer < this.#table.length; answer++) if (this.#isOpenWithoutFile(answer)) left++;
    for (let before: string | null = null; left > 0; ) {
      const page: AnsweredBatch[] = await this.#read((tx) => findExpectingBatches(tx, this.#settings.of, { before, limit: pageBatches }));
      for (const each of page) left -= await this.#lookAt(each, toldParts.others, (answer) => this.#table.file[answer] === -1);
      if (page.length < pageBatches) return;
      before = page.at(-1)!.batchId;
    }
  }

  #isOpenWithoutFile(answer: number): boolean {
    return this.#table.file[answer] === -1 && this.#found[answer] === -1 && !this.#table.problems.has(answer);
  }

  /** How many answers are about this batch. */
  async #lookAt(meant: AnsweredBatch, part: BatchWords['part'], isMeant: (answer: number) => boolean): Promise<number> {
    const { db, store, definitions, logger } = this.#options;
    const { tenantId } = this.#request;
    const own = this.#looked.push(meant) - 1;
    const isFree = (answer: number) => this.#found[answer] === -1 || this.#found[answer] === own;
    const sent = await withTenant(
      db,
      tenantId,
      async (tx): Promise<SentBatch> => {
        const [batch] = await loadBatches(tx, [meant.batchId]);
        return { batch: batch!, plan: (await definitions.loadFlow(tx, meant.flowVersionId)).plan };
      },
      { readOnly: true },
    );
    const looking = { table: this.#table, isMeant, isFree, signal: this.#signal };
    const found = await findHits(store, sent, looking).catch((error: unknown) => {
      // Nobody named it: answers about others are not to wait for it.
      if (part === toldParts.named || !isUnreadable(error)) throw error;
      logger.warn('a batch that may be answered can not be read', { batchId: meant.batchId, code: error.code });
      return noHits;
    });
    const lookup = this.#table.lookup(sent.plan.targets.find(({ id }) => id === sent.batch.targetId)!.answers!.group !== null);
    const whole = lookup.wholes.filter(isMeant).flatMap((answer) => {
      const free = lookup.firstFree(answer, isFree);
      return free < 0 ? [] : [free];
    });
    let [count, isAny] = [0, false];
    /** With those that say the same. */
    const take = (answer: number) => {
      if (this.#found[answer] === own) return;
      for (let each = answer; each >= 0; each = lookup.nextRepeat(each)) {
        if (this.#found[each] !== -1) continue;
        this.#found[each] = own;
        isAny = true;
        if (!this.#table.problems.has(each)) count++;
      }
    };
    whole.forEach(take);
    for (let index = 0; index < found.length; index++) take(found.answers[index]!);
    const said = (answer: number): number[] => {
      const answers: number[] = [];
      for (let each = answer; each >= 0; each = lookup.nextRepeat(each)) if (this.#found[each] === own) answers.push(each);
      return answers;
    };
    const timesSaid = (answer: number) => said(answer).length;
    const { hits, unclear, ambiguous } = clearHits(found, this.#table, { records: sent.batch.records, timesSaid });
    for (const answer of ambiguous) for (const each of said(answer)) this.#ambiguous.add(each);
    if (isAny) {
      const contradicting = await this.#tell(sent, { part, whole, hits, unclear, timesSaid });
      for (const answer of contradicting) for (const each of said(answer)) this.#contradicting.add(each);
    }
    return count;
  }

  /** Which contradict. */
  async #tell(sent: SentBatch, told: Omit<BatchWords, 'batchId'>): Promise<ReadonlySet<number>> {
    const { db, store, queue, ports, crashPoints, metrics } = this.#options;
    const { tenantId, batch, plan } = this.#request;
    const words = { ...told, batchId: sent.batch.batchId };
    const { hits } = told;
    const origin = await this.#originOf(hits);
    const positions = this.#refusedPositions(hits);
    const records = positions.length === 0 ? [] : await recordsAt({ db, store }, sent.batch, sent.plan, positions);
    const recordOf = new Map(positions.map((position, index) => [position, records[index]!]));
    batch.assertOurs();
    let result: ToldBatch | undefined;
    await commitForCertain({ db, ports }, tenantId, async (tx) => {
      result = await tellBatch(tx, { queue, ids: ports.ids }, words, { table: this.#table, origin });
      const refused = result.refused.map(({ position, answer }): RefusedRecord => {
        const code = this.#table.reasons.get(answer) ?? null;
        return { position, ...recordOf.get(position)!, code, answerRecord: origin.recordOf(answer) };
      });
      await writeRefusals(tx, { batchId: words.batchId, answerJobId: origin.jobId }, { refused, takenBack: result.takenBack });
      crashPoints.reach('answers.before-commit');
    });
    crashPoints.reach('answers.after-commit');
    const labels = { tenant: plan.flow.tenant, flow: sent.plan.flow.name, target: sent.batch.targetId };
    for (const [outcome, count] of Object.entries(result!.changed))
      if (count > 0) metrics.add('headgate_answered_records_total', { ...labels, outcome }, count);
    return result!.contradicting;
  }

  /** Ascending. */
  #refusedPositions({ answers, positions, length }: Hits): number[] {
    const refused = new Set<number>();
    for (let index = 0; index < length; index++)
      if (this.#table.word[answers[index]!] === recordWords.refused) refused.add(positions[index]!);
    return [...refused].sort((a, b) => a - b);
  }

  /** Record numbers of answers are read only where a record is refused. */
  async #originOf({ answers, length }: Hits): Promise<AnswerOrigin> {
    const { batch } = this.#request;
    let hasRefusal = false;
    for (let index = 0; index < length && !hasRefusal; index++) hasRefusal = this.#table.word[answers[index]!] === recordWords.refused;
    const records = hasRefusal ? await (this.#answerRecords ??= batch.recordIds()) : [];
    return {
      batchId: batch.batchId,
      jobId: batch.jobIds[0]!,
      traceId: parseTraceparent(batch.traceparent)?.traceId ?? null,
      recordOf: (answer) => Number(records[answer]!.split('/')[1]),
    };
  }

  async #outcome(): Promise<DeliveryOutcome> {
    const results: RecordResult[] = [];
    let unmatched = 0;
    for (let index = 0; index < this.#table.length; index++) {
      const problem = this.#table.problems.get(index);
      const code =
        problem !== undefined
          ? problemCodes[problem]
          : this.#found[index] === -1
            ? deliveryErrors.E_ANSWER_UNMATCHED
            : this.#ambiguous.has(index)
              ? deliveryErrors.E_ANSWER_AMBIGUOUS
              : this.#contradicting.has(index)
                ? deliveryErrors.E_ANSWER_CONTRADICTS
                : null;
      if (code === null) continue;
      if (code === deliveryErrors.E_ANSWER_UNMATCHED) unmatched++;
      results.push({ index, status: 'refused', code, message: messages[code]! });
    }
    if (unmatched === 0 || this.#request.batch.attempt > overtaking.attempts) return { kind: 'acked', perRecord: results };
    if (!(await this.#read((tx) => isUnderWay(tx, this.#settings.of)))) return { kind: 'acked', perRecord: results };
    const waiting = results.map((result) =>
      result.code === deliveryErrors.E_ANSWER_UNMATCHED ? { ...result, status: 'retry' as const } : result,
    );
    return { kind: 'acked', perRecord: waiting, retryAfterMs: overtaking.afterMs };
  }

  #read<T>(work: Parameters<typeof withTenant<T>>[2]): Promise<T> {
    return withTenant(this.#options.db, this.#request.tenantId, work, { readOnly: true });
  }
}
