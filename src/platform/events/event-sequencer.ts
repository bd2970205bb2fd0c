/**
 * The one loop that numbers events: gapless per tenant, in an order that no later commit can precede. Of all processes
 * one leads, by a leased row on the database's clock; if two ever ran at once, the database function's own lock keeps
 * the numbers right. What commits is numbered within one idle pause.
 */
import type { Waiter } from '../base/notifier.ts';
import { createPollingLoop, type PollingLoop } from '../base/polling-loop.ts';
import type { Ports } from '../base/ports.ts';
import type { Db } from '../postgres/database.ts';

export interface EventSequencerOptions {
  readonly db: Db;
  readonly ports: Ports;
  readonly onError: (error: unknown) => void;
  readonly waiter?: Waiter;
  /** Told after each round: whether this process leads, and how many event transactions got their numbers. */
  readonly onRound?: (round: { readonly isLeader: boolean; readonly transactions: number }) => void;
  readonly leaseMs?: number;
  readonly idleMaxMs?: number;
}

export const sequencerRole = 'event-sequencer';
const transactionsPerCallMax = 1_000;

const lead = '/* lead event sequencer */ select headgate.lead($1, $2, $3) as fence';
const sequence = '/* sequence events */ select headgate.sequence_events($1) as transactions';

export function createEventSequencer(options: EventSequencerOptions): PollingLoop {
  const { db, ports, onRound } = options;
  const holder = ports.ids.next();
  const leaseMs = options.leaseMs ?? 5_000;
  return createPollingLoop({
    ports,
    onError: options.onError,
    waiter: options.waiter,
    idleMinMs: 20,
    idleMaxMs: options.idleMaxMs ?? 250,
    async work() {
      const { rows } = await db.query<{ fence: number | null }>(lead, [sequencerRole, holder, leaseMs]);
      const isLeader = (rows[0]?.fence ?? null) !== null;
      const transactions = isLeader ? await sequenceEvents(db) : 0;
      onRound?.({ isLeader, transactions });
      return transactions === transactionsPerCallMax;
    },
  });
}

/** Numbers what can be numbered now, at most 1,000 event transactions. Safe to call from anywhere at any time. */
export async function sequenceEvents(db: Db): Promise<number> {
  return (await db.query<{ transactions: number }>(sequence, [transactionsPerCallMax])).rows[0]!.transactions;
}
