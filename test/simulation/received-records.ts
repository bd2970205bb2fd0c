/** Every time that a record came to a target, in the order of arrival, as journals of sinks, tables and written files tell it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal } from './journal.ts';
import type { MessageEntry, SinkEntry } from './sink-entry.ts';
import { type TargetName, targetPlaces } from './soak-flows.ts';
import type { Surroundings } from './surroundings.ts';

export interface Reception {
  readonly id: string;
  /** Empty where the target knows none. */
  readonly key: string;
  readonly isLabelled: boolean;
}

export type ReceptionPlaces = Pick<Surroundings, 'sinkJournalPath' | 'exchangeRoot' | 'table'> & {
  readonly wide?: Pick<NonNullable<Surroundings['wide']>, 'messageJournalPaths' | 'maria'> | undefined;
};

export async function receptionsAt(target: TargetName, places: ReceptionPlaces): Promise<readonly Reception[]> {
  const place = targetPlaces[target];
  switch (place.kind) {
    case 'http':
      // A batch that the target took in part goes on as batches of its own, each with its own key for the same records.
      return readJournal<SinkEntry>(places.sinkJournalPath)
        .filter(({ path }) => path === place.path)
        .flatMap(({ key, isLabelled, ids }) => ids.map((id) => ({ id, key, isLabelled })));
    case 'postgres': {
      const order = place.table === 'transfer' ? ' order by position' : '';
      const { rows } = await places.table.query<{ id: string }>(`/* read sink table */ select id from ${place.table}${order}`);
      return unlabelled(rows.map(({ id }) => id));
    }
    case 'mysql': {
      const { maria } = places.wide!;
      const rows = await maria.sql<{ id: string }>(`select id from ${maria.database}.${place.table} order by position`);
      return unlabelled(rows.map(({ id }) => id));
    }
    case 'messages':
      return readJournal<MessageEntry>(places.wide!.messageJournalPaths[target as 'kafka' | 'rabbitmq']);
    case 'file':
      return unlabelled([...idsInFolder(join(places.exchangeRoot, place.folder), place.format)]);
  }
}

function unlabelled(ids: readonly string[]): Reception[] {
  return ids.map((id) => ({ id, key: '', isLabelled: false }));
}

/**
 * Names that begin with a point are files that are still being written; the others are in the order in which they got their
 * names, and within one tick of the file system's clock in the order of the numbers in those.
 */
function* idsInFolder(folder: string, format: 'ndjson' | 'csv'): Generator<string> {
  if (!statSync(folder, { throwIfNoEntry: false })) return;
  const named = readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => ({ name, namedAtNs: statSync(join(folder, name), { bigint: true }).ctimeNs }));
  for (const { name } of named.sort((a, b) => Number(a.namedAtNs - b.namedAtNs))) {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    if (lines.pop() !== '') yield `${name} (its last line is cut)`;
    for (const line of format === 'csv' ? lines.slice(1) : lines) {
      yield format === 'csv' ? line.slice(0, line.indexOf(',')) : (JSON.parse(line) as { id: string }).id;
    }
  }
}
