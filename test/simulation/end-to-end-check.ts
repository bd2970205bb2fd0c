/**
 * What outside parties can say at the end: every valid record of every acknowledged file is at every target that its flow
 * routes it to, nothing else is, and what came more than once was labelled and kept its key. It reads the journals of senders
 * and sinks, the table, the written files and the generator's own knowledge; nothing of the product.
 */
import type { GeneratedFile } from './generated-files.ts';
import { readJournal } from './journal.ts';
import { findOutOfOrder, type OrderKnowledge } from './order-check.ts';
import { type Reception, type ReceptionPlaces, receptionsAt } from './received-records.ts';
import { orderKeptAt, targetsOf } from './soak-flows.ts';
import type { Surroundings } from './surroundings.ts';
import type { SenderEntry } from './upload-client.ts';

/** What came to one target, in records. */
export interface TargetFigures {
  /** Every time that a record came. */
  readonly received: number;
  /** Beyond the first time. */
  readonly duplicates: number;
  /** Of these, how many came without the label. Files and tables have no label: there all of them count. */
  readonly unlabelled: number;
  /** Under another key than the first time. */
  readonly rekeyed: number;
  /** Of acknowledged files, and not there. */
  readonly missing: number;
  /** There although they must not be: rejected, refused, routed elsewhere, or of no known file. */
  readonly unexpected: number;
  /** Behind a record that must follow them, of their key or of any; null where no order is kept. */
  readonly outOfOrder: number | null;
}

export interface EndToEndResult {
  readonly acked: number;
  /** Acknowledged files of which a record is missing at a target. */
  readonly lost: number;
  /** Records that came to a target although they must not: rejected, refused, routed elsewhere, or of no known file. */
  readonly unexpected: number;
  /** Receptions of a record at a target beyond the first. */
  readonly downstreamDuplicates: number;
  /** Of these, how many came without the label. Files and the table have no label: there all of them count. */
  readonly unlabelledDuplicates: number;
  /** Receptions of a record under another key than its first. */
  readonly rekeyedDuplicates: number;
  /** Records that came behind one that must follow them, at targets that keep the order of keys or of files. */
  readonly outOfOrder: number;
  readonly targets: Readonly<Record<string, TargetFigures>>;
  /** Some of what was found, for people. */
  readonly examples: readonly string[];
}

const examplesMax = 20;

export async function checkEndToEnd(
  places: ReceptionPlaces & Pick<Surroundings, 'senderJournalPath'>,
  files: ReadonlyMap<number, GeneratedFile>,
): Promise<EndToEndResult> {
  const knowledge = orderKnowledge(places.senderJournalPath, files);
  const examples: string[] = [];
  const note = (example: string) => examples.length < examplesMax && examples.push(example);
  const lost = new Set<number>();
  const targets: Record<string, TargetFigures> = {};
  for (const target of targetsOf(places.wide === undefined ? 'usual' : 'all')) {
    const receptions = await receptionsAt(target, places);
    const byId = Map.groupBy(receptions, ({ id }) => id);
    const expected = new Set<string>();
    const figures = { received: receptions.length, duplicates: 0, unlabelled: 0, rekeyed: 0, missing: 0, unexpected: 0 };
    for (const file of files.values()) {
      const ids = file.delivered[target] ?? [];
      for (const id of ids) expected.add(id);
      const missing = knowledge.ackedAt.has(file.number) ? ids.filter((id) => !byId.has(id)) : [];
      if (missing.length === 0) continue;
      lost.add(file.number);
      figures.missing += missing.length;
      note(`lost: ${missing[0]} of ${file.name} is not at ${target}`);
    }
    for (const [id, own] of byId) {
      if (!expected.has(id)) {
        figures.unexpected += 1;
        note(`unexpected: ${id} is at ${target}`);
      }
      const found = judgeReceptions(own);
      figures.duplicates += found.duplicates;
      figures.unlabelled += found.unlabelled;
      figures.rekeyed += found.rekeyed;
      if (found.unlabelled > 0) note(`unlabelled duplicate: ${id} at ${target}, ${own.length} times`);
      if (found.rekeyed > 0) note(`duplicate under another key: ${id} at ${target}`);
    }
    const order = orderKeptAt(target);
    const late = order === undefined ? null : findOutOfOrder(byId.keys(), order, knowledge);
    if (late !== null && late.length > 0) note(`out of order: ${late[0]} at ${target}`);
    targets[target] = { ...figures, outOfOrder: late?.length ?? null };
  }
  const sum = (count: (figures: TargetFigures) => number) => Object.values(targets).reduce((total, figures) => total + count(figures), 0);
  return {
    acked: knowledge.ackedAt.size,
    lost: lost.size,
    unexpected: sum(({ unexpected }) => unexpected),
    downstreamDuplicates: sum(({ duplicates }) => duplicates),
    unlabelledDuplicates: sum(({ unlabelled }) => unlabelled),
    rekeyedDuplicates: sum(({ rekeyed }) => rekeyed),
    outOfOrder: sum(({ outOfOrder }) => outOfOrder ?? 0),
    targets,
    examples,
  };
}

function orderKnowledge(senderJournalPath: string, files: ReadonlyMap<number, GeneratedFile>): OrderKnowledge {
  const begunAt = new Map<number, number>();
  const ackedAt = new Map<number, number>();
  for (const [at, { event, file }] of readJournal<SenderEntry>(senderJournalPath).entries()) {
    const first = event === 'sending' ? begunAt : event === 'acked' ? ackedAt : undefined;
    if (first !== undefined && !first.has(file)) first.set(file, at);
  }
  return { begunAt, ackedAt, keys: new Map([...files.values()].flatMap(({ keys }) => [...keys])) };
}

/** A label may be on the one that came first: a process that was stopped before it sent may send last. */
export function judgeReceptions(receptions: readonly Omit<Reception, 'id'>[]): { duplicates: number; unlabelled: number; rekeyed: number } {
  const unlabelled = receptions.filter(({ isLabelled }) => !isLabelled).length;
  return {
    duplicates: receptions.length - 1,
    unlabelled: Math.max(0, unlabelled - 1),
    rekeyed: receptions.filter(({ key }) => key !== receptions[0]!.key).length,
  };
}
