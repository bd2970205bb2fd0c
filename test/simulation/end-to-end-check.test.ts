import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Db } from '../../src/platform/postgres/database.ts';
import { temporaryFolder } from '../support/temporary-store.ts';
import { checkEndToEnd, judgeReceptions } from './end-to-end-check.ts';
import type { GeneratedFile } from './generated-files.ts';
import type { MessageEntry, SinkEntry } from './sink-entry.ts';
import { isWideTarget, targetsOf } from './soak-flows.ts';

const first = { key: 'k', isLabelled: false };
const again = { key: 'k', isLabelled: true };

describe('receptions of a record', () => {
  it.each([
    ['once', [first], { duplicates: 0, unlabelled: 0, rekeyed: 0 }],
    ['once, labelled', [again], { duplicates: 0, unlabelled: 0, rekeyed: 0 }],
    ['again with the label', [first, again, again], { duplicates: 2, unlabelled: 0, rekeyed: 0 }],
    ['the labelled one before the stopped one', [again, first], { duplicates: 1, unlabelled: 0, rekeyed: 0 }],
    ['again without the label', [first, first, again], { duplicates: 2, unlabelled: 1, rekeyed: 0 }],
    ['again under another key', [first, { key: 'other', isLabelled: true }], { duplicates: 1, unlabelled: 0, rekeyed: 1 }],
  ])('%s', (_, receptions, found) => {
    expect(judgeReceptions(receptions)).toEqual(found);
  });
});

const file: GeneratedFile = {
  number: 1,
  tenant: 'north',
  flow: 'payments',
  name: 'payments-000001.csv',
  content: Buffer.alloc(0),
  sha256: '00',
  counts: { read: 3, valid: 2, rejected: 1, filtered: 0 },
  delivered: { archive: ['P000001-0000', 'P000001-0001'], booking: ['P000001-0000'], feed: ['P000001-0001'] },
  refused: {},
  keys: new Map(),
};

interface Scene {
  readonly isAcked?: boolean;
  readonly archive?: readonly string[];
  readonly booking?: readonly string[];
  readonly feed?: readonly Partial<SinkEntry>[];
}

/** Journals, folders and the table as a sound run leaves them, but for what the scene changes. */
async function check({ isAcked = true, archive, booking, feed }: Scene) {
  const root = temporaryFolder();
  const paths = { senderJournalPath: join(root, 'senders'), sinkJournalPath: join(root, 'sink'), exchangeRoot: root };
  const lines = (entries: readonly object[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  const sent = { file: 1, sha256: '00' };
  writeFileSync(paths.senderJournalPath, lines([{ event: 'sending', ...sent }, ...(isAcked ? [{ event: 'acked', ...sent }] : [])]));
  const entry = { path: '/batch', key: 'b', isLabelled: false, attempt: 1, batchId: 'b', ids: ['P000001-0001'] };
  writeFileSync(paths.sinkJournalPath, lines((feed ?? [{}]).map((changes) => ({ ...entry, ...changes }))));
  mkdirSync(join(root, 'north/archive'), { recursive: true });
  const written = (archive ?? file.delivered.archive!).map((id) => ({ id }));
  writeFileSync(join(root, 'north/archive/payments-archive-1-0000.ndjson'), lines(written));
  writeFileSync(join(root, 'north/archive/.headgate-unfinished-1'), lines(written));
  const rows = (booking ?? file.delivered.booking!).map((id) => ({ id }));
  const table = { query: async () => ({ rows, rowCount: rows.length }) } as unknown as Db;
  const { examples: _, targets: __, ...result } = await checkEndToEnd({ ...paths, table }, new Map([[1, file]]));
  return result;
}

const sound = { acked: 1, lost: 0, unexpected: 0, downstreamDuplicates: 0, unlabelledDuplicates: 0, rekeyedDuplicates: 0, outOfOrder: 0 };

describe('what outside parties find', () => {
  it.each<[string, Scene, Partial<typeof sound>]>([
    ['nothing wrong', {}, {}],
    ['a record that is not in the files', { archive: ['P000001-0000'] }, { lost: 1 }],
    ['a record that is not in the table', { booking: [] }, { lost: 1 }],
    ['a record that did not come by HTTP', { feed: [] }, { lost: 1 }],
    ['nothing lost of a file that nobody acknowledged', { isAcked: false, booking: [], feed: [] }, { acked: 0 }],
    ['a rejected record at a target', { booking: ['P000001-0000', 'P000001-0002'] }, { unexpected: 1 }],
    ['a row written twice', { booking: ['P000001-0000', 'P000001-0000'] }, { downstreamDuplicates: 1, unlabelledDuplicates: 1 }],
    ['a request sent again with its label', { feed: [{}, { isLabelled: true }] }, { downstreamDuplicates: 1 }],
    ['a request sent again without a label', { feed: [{}, {}] }, { downstreamDuplicates: 1, unlabelledDuplicates: 1 }],
    [
      'a request sent again under another key',
      { feed: [{}, { isLabelled: true, key: 'c' }] },
      { downstreamDuplicates: 1, rekeyedDuplicates: 1 },
    ],
  ])('%s', async (_, scene, found) => {
    expect(await check(scene)).toEqual({ ...sound, ...found });
  });
});

describe('what outside parties find at a target of each kind', () => {
  const ids = ['T000001-0000', 'T000001-0001'];
  const transfers: GeneratedFile = {
    ...file,
    flow: 'transfers',
    tenant: 'east',
    delivered: Object.fromEntries(targetsOf('all').flatMap((target) => (isWideTarget(target) ? [[target, ids]] : []))),
    keys: new Map(ids.map((id) => [id, 'A01'])),
  };

  async function check(messages: readonly MessageEntry[], named: readonly string[]) {
    const root = temporaryFolder();
    const place = (name: string) => join(root, name);
    const write = (name: string, entries: readonly object[]) =>
      writeFileSync(place(name), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    write('senders', [
      { event: 'sending', file: 1 },
      { event: 'acked', file: 1 },
    ]);
    write('sink', [{ path: '/transfers', key: 'b', isLabelled: false, ids }]);
    write('kafka', messages);
    write('rabbitmq', messages);
    mkdirSync(place('server/courier'), { recursive: true });
    // Each named later than the one before, against their numbers.
    let lastNs = 0n;
    for (const [at, id] of named.entries()) {
      const path = place(`server/courier/transfers-sftp-${9 - at}-0000.csv`);
      do writeFileSync(path, `id,amount\n${id},1\n`);
      while (statSync(path, { bigint: true }).ctimeNs <= lastNs);
      lastNs = statSync(path, { bigint: true }).ctimeNs;
    }
    const rows = ids.map((id) => ({ id }));
    const { targets } = await checkEndToEnd(
      {
        senderJournalPath: place('senders'),
        sinkJournalPath: place('sink'),
        exchangeRoot: root,
        table: {
          query: async (text: string) => ({ rows: text.endsWith('from transfer order by position') ? rows : [] }),
        } as unknown as Db,
        wide: {
          messageJournalPaths: { kafka: place('kafka'), rabbitmq: place('rabbitmq') },
          maria: { database: 'ledger', sql: async <Row>() => rows as Row[] },
        },
      },
      new Map([[1, transfers]]),
    );
    return targets;
  }

  const come = { received: 2, duplicates: 0, unlabelled: 0, rekeyed: 0, missing: 0, unexpected: 0, outOfOrder: 0 };
  const messageOf = (id: string, isLabelled = false): MessageEntry => ({ id, key: id, isLabelled });

  it('is nothing wrong where all came in order', async () => {
    const targets = await check(
      ids.map((id) => messageOf(id)),
      ids,
    );
    for (const target of ['kafka', 'rabbitmq', 'mariadb', 'postgres', 'http', 'sftp'])
      expect([target, targets[target]]).toEqual([target, come]);
    expect(targets['archive']).toEqual({ ...come, received: 0, outOfOrder: null });
  });

  it('is what came again, without its label, or behind what must follow it', async () => {
    const [first, second] = ids as [string, string];
    const targets = await check([messageOf(second), messageOf(first), messageOf(second), messageOf(first, true)], [second]);
    for (const target of ['kafka', 'rabbitmq'])
      expect(targets[target]).toEqual({ ...come, received: 4, duplicates: 2, unlabelled: 1, outOfOrder: 1 });
    expect(targets['sftp']).toEqual({ ...come, received: 1, missing: 1 });
  });
});

describe('the order at targets that keep it in the usual flows', () => {
  const vaultIds = ['S000001-0000', 'S000001-0001'];
  const alertIds = ['N000002-0000', 'N000002-0001'];
  const feedIds = ['P000003-0000', 'P000003-0001'];
  const files: GeneratedFile[] = [
    { ...file, number: 1, flow: 'statements', tenant: 'south', delivered: { vault: vaultIds } },
    {
      ...file,
      number: 2,
      flow: 'notices',
      tenant: 'south',
      delivered: { alerts: alertIds },
      keys: new Map(alertIds.map((id) => [id, 'A01'])),
    },
    { ...file, number: 3, delivered: { feed: feedIds } },
  ];

  async function outOfOrderAt(turn: (ids: readonly string[]) => readonly string[]) {
    const root = temporaryFolder();
    const lines = (entries: readonly object[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    const journals = { senderJournalPath: join(root, 'senders'), sinkJournalPath: join(root, 'sink') };
    writeFileSync(journals.senderJournalPath, lines(files.map(({ number }) => ({ event: 'sending', file: number }))));
    const taken = (path: string, ids: readonly string[]) => ({ path, key: path, isLabelled: false, ids });
    writeFileSync(
      journals.sinkJournalPath,
      lines([...turn(alertIds).map((id) => ({ ...taken('/single', [id]), key: id })), taken('/batch', turn(feedIds))]),
    );
    mkdirSync(join(root, 'south/vault'), { recursive: true });
    writeFileSync(join(root, 'south/vault/statements-vault-1-0000.ndjson'), lines(turn(vaultIds).map((id) => ({ id }))));
    const table = { query: async () => ({ rows: [] }) } as unknown as Db;
    const places = { ...journals, exchangeRoot: root, table };
    const { targets, outOfOrder } = await checkEndToEnd(places, new Map(files.map((each) => [each.number, each])));
    return { outOfOrder, at: ['vault', 'alerts', 'feed'].map((target) => targets[target]!.outOfOrder) };
  }

  it('is kept where all came as sent', async () => {
    expect(await outOfOrderAt((ids) => ids)).toEqual({ outOfOrder: 0, at: [0, 0, 0] });
  });

  it('is not where a pair came swapped', async () => {
    expect(await outOfOrderAt((ids) => ids.toReversed())).toEqual({ outOfOrder: 3, at: [1, 1, 1] });
  });
});
