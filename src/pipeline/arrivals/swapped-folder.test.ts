import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFence } from '../../../test/support/open-fence.ts';
import { makeSwappedFolder, type SwappedFolder } from '../../../test/support/swapped-folder.ts';
import type { FolderFence } from '../../platform/base/folder-fence.ts';
import { openFolderPlace } from './folder-place.ts';
import { doneFolder, type SourceEntry, type SourcePlace, type TakeAway } from './source-place.ts';

const names = ['a.csv', 'a.csv.sha256'];

/** Files of the same names in both folders, each with the name of its tenant. */
function makeSource(): SwappedFolder {
  const swapped = makeSwappedFolder('src');
  for (const name of names) {
    writeFileSync(join(swapped.folder, name), 'of bank-c');
    writeFileSync(join(swapped.other, name), 'of bank-b');
  }
  return swapped;
}

function open(root: string, path: string, folders: FolderFence = openFence): SourcePlace {
  const source = { type: 'folder', root, path } as Parameters<typeof openFolderPlace>[0]['source'];
  return openFolderPlace({ tenant: 'bank-c', folders, source, onTurn: async () => {} });
}

async function contentOf(place: SourcePlace, entry: SourceEntry): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of place.read(entry)) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces).toString();
}

const seen = async (place: SourcePlace) => (await place.look((name) => name === 'a.csv')).entries[0]!;
const taken = (entry: SourceEntry, to: TakeAway['to']): TakeAway => ({ entry, arrivalId: 'id', to, companions: ['a.csv.sha256'] });

describe.runIf(existsSync('/proc/self/fd'))("a link to another tenant's folder", () => {
  it('that is put in the place of the folder before it is listed leads nowhere: what is seen, read and taken lies where the folder is', async () => {
    const swapped = makeSource();
    const place = open(swapped.own, 'src');
    swapped.swap();
    const entry = await seen(place);
    expect(await contentOf(place, entry)).toBe('of bank-c');
    expect(String(await place.readBeside('a.csv.sha256', 100))).toBe('of bank-c');
    expect(await place.lookAgain(entry)).toEqual(entry);
    expect(await place.takeAway([taken(entry, doneFolder)])).toEqual([]);
    expect([readdirSync(swapped.other), readdirSync(join(swapped.away, doneFolder))]).toEqual([names, names]);
    place.close();
    expect(swapped.openPlaces()).toEqual([]);
  });

  it.each([doneFolder, 'nowhere', { mark: '.taken' }] as const)(
    'that is put in the place of the folder before a file that moved there is taken away to %j leaves what lies there',
    async (to) => {
      const swapped = makeSource();
      const place = open(swapped.own, 'src');
      // The file itself comes there, with all that it is told by, and lies beside one of the other tenant.
      rmSync(join(swapped.other, 'a.csv'));
      renameSync(join(swapped.folder, 'a.csv'), join(swapped.other, 'a.csv'));
      swapped.swap();
      const other = open(swapped.other, '.');
      expect(await place.takeAway([taken(await seen(other), to)])).toEqual([]);
      other.close();
      expect(readdirSync(swapped.other)).toEqual(names);
      place.close();
    },
  );

  it('that is put in the place of the folder right after the fence was asked is refused, or leads nowhere', async () => {
    for (const looks of [1, 2]) {
      const swapped = makeSource();
      let left = looks;
      const assertAllowed = () => {
        left -= 1;
        if (left === 0) swapped.swap();
      };
      if (looks === 1)
        expect(() => open(swapped.own, 'src', { ...openFence, assertAllowed })).toThrow(expect.objectContaining({ code: 'E_SOURCE' }));
      else {
        const place = open(swapped.own, 'src', { ...openFence, assertAllowed });
        expect(await contentOf(place, await seen(place))).toBe('of bank-c');
        place.close();
      }
      expect(swapped.openPlaces()).toEqual([]);
    }
  });

  it('that comes and goes all the time in the place of the folder shows no file', async () => {
    const source = makeSource();
    await source.startSwapping();
    const counts = { read: 0, refused: 0 };
    for (let polls = 0; polls < 1_500 || counts.read === 0; polls++) {
      try {
        const place = open(source.own, 'src');
        try {
          const entry = await seen(place);
          expect(await contentOf(place, entry)).toBe('of bank-c');
          counts.read += 1;
        } finally {
          place.close();
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_SOURCE' });
        counts.refused += 1;
      }
    }
    expect(source.openPlaces()).toEqual([]);
  });

  it('that comes and goes all the time in the place of the folder for taken files gets none of them', async () => {
    const swapped = makeSwappedFolder(doneFolder);
    const place = open(swapped.own, '.');
    await swapped.startSwapping();
    for (let files = 0; files < 200; files++) {
      writeFileSync(join(swapped.own, 'a.csv'), 'of bank-c');
      await place.takeAway([{ ...taken(await seen(place), doneFolder), arrivalId: String(files), companions: [] }]).catch((error) => {
        expect(error).toMatchObject({ code: 'E_SOURCE' });
      });
    }
    place.close();
    expect([readdirSync(swapped.other), swapped.openPlaces()]).toEqual([[], []]);
  });
});

it('a name that leads out of the folder or deeper is none of its files, and a place is of no use once it is closed', async () => {
  const swapped = makeSource();
  mkdirSync(join(swapped.folder, 'deep'));
  writeFileSync(join(swapped.folder, 'deep/a.csv'), 'deep');
  const place = open(swapped.own, 'src');
  for (const name of ['../src/a.csv', 'deep/a.csv', '.', '..', ''])
    expect([name, await place.lookAgain({ name, bytes: Buffer.from(name), hasExactName: true })]).toEqual([name, undefined]);
  const entry = await seen(place);
  place.close();
  await expect(contentOf(place, entry)).rejects.toThrow('closed');
  await expect(place.takeAway([taken(entry, doneFolder)])).rejects.toThrow('closed');
  expect(readFileSync(join(swapped.folder, 'a.csv'), 'utf8')).toBe('of bank-c');
});
