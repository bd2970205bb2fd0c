/**
 * What outside parties can say at the end: every valid record of every acknowledged file is at every target that its flow
 * routes it to, nothing else is, and what came more than once was labelled and kept its key. It reads the journals of senders
 * and sinks, the table, the written files and the generator's own knowledge; nothing of the product.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { GeneratedFile } from './generated-files.ts';
import { readJournal } from './journal.ts';
import type { SinkEntry } from './sink-entry.ts';
import { type TargetName, targetNames, targetPlaces } from './soak-flows.ts';
import type { Surroundings } from './surroundings.ts';
import type { SenderEntry } from './upload-client.ts';

/** One time that a record came to a target. */
interface Reception {
  /** Empty where the target knows none. */
  readonly key: string;
  readonly isLabelled: boolean;
}

/** By record id. */
type Receptions = Map<string, Reception[]>;

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
  /** Some of what was found, for people. */
  readonly examples: readonly string[];
}

const examplesMax = 20;

export async function checkEndToEnd(
  surroundings: Pick<Surroundings, 'senderJournalPath' | 'sinkJournalPath' | 'exchangeRoot' | 'table'>,
  files: ReadonlyMap<number, GeneratedFile>,
): Promise<EndToEndResult> {
  const ackedNumbers = new Set<number>();
  for (const entry of readJournal<SenderEntry>(surroundings.senderJournalPath)) if (entry.event === 'acked') ackedNumbers.add(entry.file);
  const received = await collect(surroundings);
  const examples: string[] = [];
  const note = (example: string) => examples.length < examplesMax && examples.push(example);

  const expected = new Map<TargetName, Set<string>>(targetNames.map((target) => [target, new Set()]));
  let lost = 0;
  for (const file of files.values()) {
    let missing = 0;
    for (const target of targetNames) {
      for (const id of file.delivered[target] ?? []) {
        expected.get(target)!.add(id);
        if (received.get(target)!.has(id)) continue;
        missing += 1;
        if (ackedNumbers.has(file.number)) note(`lost: ${id} of ${file.name} is not at ${target}`);
      }
    }
    if (missing > 0 && ackedNumbers.has(file.number)) lost += 1;
  }

  let unexpected = 0;
  const doubled = { downstreamDuplicates: 0, unlabelledDuplicates: 0, rekeyedDuplicates: 0 };
  for (const target of targetNames) {
    for (const [id, receptions] of received.get(target)!) {
      if (!expected.get(target)!.has(id)) {
        unexpected += 1;
        note(`unexpected: ${id} is at ${target}`);
      }
      const found = judgeReceptions(receptions);
      doubled.downstreamDuplicates += found.duplicates;
      doubled.unlabelledDuplicates += found.unlabelled;
      doubled.rekeyedDuplicates += found.rekeyed;
      if (found.unlabelled > 0) note(`unlabelled duplicate: ${id} at ${target}, ${receptions.length} times`);
      if (found.rekeyed > 0) note(`duplicate under another key: ${id} at ${target}`);
    }
  }
  return { acked: ackedNumbers.size, lost, unexpected, ...doubled, examples };
}

/** A label may be on the one that came first: a process that was stopped before it sent may send last. */
export function judgeReceptions(receptions: readonly Reception[]): { duplicates: number; unlabelled: number; rekeyed: number } {
  const unlabelled = receptions.filter(({ isLabelled }) => !isLabelled).length;
  return {
    duplicates: receptions.length - 1,
    unlabelled: Math.max(0, unlabelled - 1),
    rekeyed: receptions.filter(({ key }) => key !== receptions[0]!.key).length,
  };
}

async function collect(
  surroundings: Pick<Surroundings, 'sinkJournalPath' | 'exchangeRoot' | 'table'>,
): Promise<ReadonlyMap<TargetName, Receptions>> {
  const all = new Map<TargetName, Receptions>(targetNames.map((target) => [target, new Map()]));
  const add = (target: TargetName, id: string, reception: Reception) => {
    const receptions = all.get(target)!;
    const known = receptions.get(id);
    if (known) known.push(reception);
    else receptions.set(id, [reception]);
  };
  const entries = readJournal<SinkEntry>(surroundings.sinkJournalPath);
  for (const target of targetNames) {
    const place = targetPlaces[target];
    switch (place.kind) {
      case 'http':
        // A batch that the target took in part goes on as batches of its own, each with its own key for the same records.
        for (const { path, key, isLabelled, ids } of entries)
          if (path === place.path) for (const id of ids) add(target, id, { key, isLabelled });
        break;
      case 'postgres': {
        const { rows } = await surroundings.table.query<{ id: string }>('/* read sink table */ select id from booking');
        for (const { id } of rows) add(target, id, { key: '', isLabelled: false });
        break;
      }
      case 'file':
        for (const id of idsInFolder(join(surroundings.exchangeRoot, place.folder), place.format))
          add(target, id, { key: '', isLabelled: false });
        break;
    }
  }
  return all;
}

/** Names that begin with a point are files that are still being written. */
function* idsInFolder(folder: string, format: 'ndjson' | 'csv'): Generator<string> {
  if (!statSync(folder, { throwIfNoEntry: false })) return;
  for (const name of readdirSync(folder)) {
    if (name.startsWith('.')) continue;
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    if (lines.pop() !== '') yield `${name} (its last line is cut)`;
    for (const line of format === 'csv' ? lines.slice(1) : lines) {
      yield format === 'csv' ? line.slice(0, line.indexOf(',')) : (JSON.parse(line) as { id: string }).id;
    }
  }
}
