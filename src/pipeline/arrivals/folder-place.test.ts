import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openFence } from '../../../test/support/open-fence.ts';
import { openFolderPlace } from './folder-place.ts';

it('of very many files in a folder, those that are known and the oldest of the others are looked at, until there is room', async () => {
  const root = mkdtempSync(join(tmpdir(), 'headgate-many-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const nameOf = (age: number) => `f${String(age).padStart(3, '0')}.csv`;
  // In an order that is neither that of their names nor that of their ages.
  for (let index = 0; index < 97; index++) {
    const age = (index * 61) % 97;
    writeFileSync(join(root, nameOf(age)), 'id\n');
    utimesSync(join(root, nameOf(age)), 2_000_000_000 - age, 2_000_000_000 - age);
  }
  const source = { type: 'folder', root, path: '.' } as Parameters<typeof openFolderPlace>[0]['source'];
  let turns = 0;
  const onTurn = async () => void (turns += 1);
  const place = openFolderPlace({ tenant: 'bank', folders: openFence, source, onTurn });
  const seen = async (newMax: number) => {
    const bound = { isKnown: (name: string) => name === nameOf(3) || name === nameOf(96), newMax };
    const { entries, names } = await place.look((name) => name !== nameOf(95), bound);
    expect(names.size).toBe(97);
    return entries.map(({ name }) => name).toSorted();
  };
  expect(await seen(4)).toEqual([3, 91, 92, 93, 94, 96].map(nameOf));
  expect(await seen(0)).toEqual([3, 96].map(nameOf));
  expect(await seen(94)).toHaveLength(96);
  expect((await place.look(() => true)).entries).toHaveLength(97);
  expect(turns).toBe(4);
});
