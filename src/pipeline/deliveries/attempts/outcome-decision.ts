/** From the outcome of an attempt to what happens to the batch. The same outcome, attempt, chance and budget give the same. */
import type { Rng } from '../../../platform/base/ports.ts';
import type { DeliveryOutcome, RecordResult } from '../../connectors/connector.ts';
import type { TargetPlan } from '../../engine/plan.ts';
import { isConfigurationFault, isToBeHeld } from '../held/configuration-codes.ts';
import { isExhausted, retryDelayMs } from './retry-schedule.ts';

export type Decision =
  | { readonly kind: 'acked'; readonly evidence: string | null }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly code: string; readonly message: string }
  /** Settings are at fault: a person has to act before it is sent again. */
  | { readonly kind: 'held'; readonly code: string; readonly message: string }
  | { readonly kind: 'exhausted'; readonly code: string; readonly message: string }
  /** `delayMs` until it is resolved. */
  | { readonly kind: 'unknown'; readonly delayMs: number; readonly code: string; readonly message: string }
  | { readonly kind: 'split'; readonly delayMs: number; readonly parts: readonly SplitPart[]; readonly refusal?: Refusal };

/** Of all that is split. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Positions of a batch that go on together as a batch of their own. */
export interface SplitPart {
  readonly becomes: 'acked' | 'refused' | 'exhausted' | 'retry' | 'unknown' | 'held';
  readonly indexes: readonly number[];
  /** By position in `indexes`; empty for acked ones. */
  readonly codes: readonly string[];
  /** As `codes`; null: nothing is known but the code. */
  readonly messages: readonly (string | null)[];
  /** The code that says why; the first one where it is left out. */
  readonly reason?: string | undefined;
}

export interface AttemptContext {
  readonly target: Pick<TargetPlan, 'retry'>;
  /** Since it was cut, held last, or the target took or refused for good a part of it. */
  readonly tries: number;
  /** It was held for its settings before, or another batch of its target is. */
  readonly isFoundOut: boolean;
  readonly records: number;
  /** It shares a lane with others, and so will its parts. */
  readonly isOrdered: boolean;
  /** Asked where a batch is to be cut in half, which it then is. */
  readonly mayHalve: () => boolean;
  readonly rng: Rng;
}

export function decide(outcome: DeliveryOutcome, context: AttemptContext): Decision {
  const { target, tries, rng } = context;
  const isLast = isExhausted(target.retry, tries);
  switch (outcome.kind) {
    case 'acked':
      return outcome.perRecord === undefined || outcome.perRecord.length === 0
        ? { kind: 'acked', evidence: outcome.evidence ?? null }
        : decideParts(outcome.perRecord, context, outcome.retryAfterMs);
    case 'refused': {
      const { code, message } = outcome;
      if (isToBeHeld(code, tries, holdingOf(context))) return { kind: 'held', code, message };
      const isMendable = isConfigurationFault(code);
      if (!outcome.retryable && !isMendable) {
        const isHalved = outcome.mayBeOneRecord === true && context.records > 1 && context.mayHalve();
        return isHalved ? halves(context.records, { code, message }) : { kind: 'refused', code, message };
      }
      if (isLast) return { kind: 'exhausted', code, message };
      return { kind: 'retry', delayMs: retryDelayMs(target.retry, tries, rng, outcome.retryAfterMs), code, message };
    }
    case 'unknown':
      return {
        kind: 'unknown',
        delayMs: retryDelayMs(target.retry, tries, rng, outcome.retryAfterMs),
        code: outcome.code,
        message: outcome.message,
      };
  }
}

/** Both are sent at once, in order. */
function halves(records: number, refusal: Refusal): Decision {
  const middle = Math.ceil(records / 2);
  const part = (from: number, to: number): SplitPart => {
    const indexes = Array.from({ length: to - from }, (_, at) => from + at);
    return { becomes: 'retry', indexes, codes: indexes.map(() => refusal.code), messages: indexes.map(() => refusal.message) };
  };
  return { kind: 'split', delayMs: 0, parts: [part(0, middle), part(middle, records)], refusal };
}

/** What is said of results per record that come without a text of their own. */
const perRecordMessage = 'the target answered so for each record';

interface Part {
  becomes: SplitPart['becomes'];
  readonly indexes: number[];
  readonly codes: string[];
  readonly messages: (string | null)[];
  /** Of the first record that has its outcome. */
  reason?: string | undefined;
}

function partOf(parts: Part[], becomes: Part['becomes']): Part {
  const known = parts.find((part) => part.becomes === becomes);
  if (known !== undefined) return known;
  const part = { becomes, indexes: [], codes: [], messages: [] };
  parts.push(part);
  return part;
}

/** What goes on; where some are taken together, for the last of these. */
const openOnes = ['held', 'retry', 'unknown'] as const satisfies readonly Part['becomes'][];
const isOpen = (becomes: Part['becomes']) => (openOnes as readonly string[]).includes(becomes);

/** Each is a batch of its own: the rest of an answer that goes back and forth stays together. */
const openPartsMax = 16;

/**
 * Where order is kept, batches that go on are stretches of the records that do: no record of one comes before a record of an
 * earlier one. The last that there may be takes all that is left, as what may have arrived if one of them may.
 */
function partInOrder(parts: Part[], becomes: Part['becomes']): Part {
  const open = parts.filter((part) => isOpen(part.becomes));
  const last = open.at(-1);
  if (last?.becomes === becomes) return last;
  if (last !== undefined && open.length === openPartsMax) {
    const rank = (each: Part['becomes']) => (openOnes as readonly string[]).indexOf(each);
    if (rank(becomes) > rank(last.becomes)) {
      last.becomes = becomes;
      last.reason = undefined;
    }
    return last;
  }
  const part = { becomes, indexes: [], codes: [], messages: [] };
  parts.push(part);
  return part;
}

function holdingOf({ target, isFoundOut }: AttemptContext) {
  return { retryMax: target.retry.max, isFoundOut };
}

function decideParts(results: readonly RecordResult[], context: AttemptContext, retryAfterMs?: number): Decision {
  const { target, tries, records, isOrdered, rng } = context;
  const isDecidedInPart = results.length < records || results.some(({ status }) => status === 'refused');
  // What the target goes on to decide about has all its tries again: it gets less each time.
  const isLast = !isDecidedInPart && isExhausted(target.retry, tries);
  const parts: Part[] = [];
  const add = (becomes: SplitPart['becomes'], index: number, result: RecordResult | null) => {
    const part = isOrdered && isOpen(becomes) ? partInOrder(parts, becomes) : partOf(parts, becomes);
    part.indexes.push(index);
    if (result === null) return;
    part.reason ??= result.code;
    part.codes.push(result.code);
    part.messages.push(result.message ?? null);
  };
  const byIndex = new Map(results.map((result) => [result.index, result]));
  for (let index = 0; index < records; index++) {
    const result = byIndex.get(index);
    if (result === undefined) add('acked', index, null);
    else if (result.status === 'retry' && isToBeHeld(result.code, tries, holdingOf(context))) add('held', index, result);
    else add(result.status === 'retry' && isLast ? 'exhausted' : result.status, index, result);
  }
  const delayMs = retryDelayMs(target.retry, isDecidedInPart ? 1 : tries, rng, retryAfterMs);
  const [only] = parts;
  if (parts.length > 1) return { kind: 'split', delayMs, parts };
  const code = only!.codes[0] ?? '';
  const message = only!.messages[0] ?? perRecordMessage;
  switch (only!.becomes) {
    case 'acked':
      return { kind: 'acked', evidence: null };
    case 'retry':
      return { kind: 'retry', delayMs, code, message };
    case 'unknown':
      return { kind: 'unknown', delayMs, code, message };
    case 'held':
      return { kind: 'held', code, message };
    case 'refused':
    case 'exhausted':
      // Codes may differ from record to record.
      return { kind: 'split', delayMs, parts };
  }
}
