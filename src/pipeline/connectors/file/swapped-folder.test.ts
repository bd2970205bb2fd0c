import { existsSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeSwappedFolder, type SwappedFolder } from '../../../../test/support/swapped-folder.ts';
import { createFolderFence, type FolderFence } from '../../../platform/base/folder-fence.ts';
import { again, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { fileConnector } from './file-connector.ts';

const signal = new AbortController().signal;
const fileName = 'eft-out-1-0000.ndjson';

const open = ({ own }: Pick<SwappedFolder, 'own'>, path: string, folders?: FolderFence) =>
  fileConnector.open(openOptions(fileConnector, { settings: { path }, connection: { root: own }, ...(folders && { folders }) }));

describe.runIf(existsSync('/proc/self/fd'))("a link to another tenant's folder", () => {
  it.each(['before the bytes are written', 'before the file gets its name'])(
    'that is put in the place of the folder %s leads nowhere: the file comes to where the folder is',
    async (when) => {
      const swapped = makeSwappedFolder('dst');
      const target = open(swapped, 'dst');
      const batch = outgoing(['a']);
      const pieces = () => {
        swapped.swap();
        return batch.body.pieces();
      };
      const isLate = when === 'before the file gets its name';
      const inTime = isLate ? { ...batch, assertOurs: swapped.swap } : { ...batch, body: { ...batch.body, pieces } };
      expect(await target.deliver(inTime, signal)).toMatchObject({ kind: 'acked' });
      expect([readdirSync(swapped.other), readdirSync(swapped.away)]).toEqual([[], [fileName]]);
      expect(await target.deliver(outgoing(['b'], { number: '2-0000' }), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET' });
      expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'unresolved', code: 'E_TARGET' });
      expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET' });
      expect([readdirSync(swapped.other), swapped.openPlaces()]).toEqual([[], []]);
    },
  );

  it('that is put in the place of the root after any look at that is refused, or leads nowhere', async () => {
    const codes = new Set<string>();
    for (let looks = 1; looks <= 5; looks++) {
      const { roots, own, other, openPlaces } = makeSwappedFolder('dst');
      const fence = createFolderFence({ roots: [join(roots, '{tenant}')], protectedFolders: [] });
      let left = Number.POSITIVE_INFINITY;
      const target = open({ own: join(own, 'dst') }, '.', {
        ...fence,
        assertAllowed({ path }) {
          fence.assertAllowed({ tenant: 'bank-c', path });
          left -= 1;
          if (left !== 0) return;
          renameSync(join(own, 'dst'), join(own, 'away'));
          symlinkSync(other, join(own, 'dst'));
        },
      });
      left = looks;
      const outcome = await target.deliver(outgoing(['a']), signal);
      codes.add('code' in outcome ? outcome.code : outcome.kind);
      expect([readdirSync(other), openPlaces()]).toEqual([[], []]);
    }
    expect([...codes].sort()).toEqual(['E_FOLDER_NOT_ALLOWED', 'acked']);
  });

  it('that is put in the place of a folder in which others are to be made gets none of them', async () => {
    const swapped = makeSwappedFolder('dst');
    let isSwapping = false;
    const target = open(swapped, 'dst/new/deep', {
      isPerTenant: false,
      refusal: () => undefined,
      assertAllowed: ({ path }) => void (isSwapping && path === join(swapped.folder, 'new/deep') && swapped.swap()),
    });
    isSwapping = true;
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_SETUP' });
    expect([readdirSync(swapped.other), readdirSync(join(swapped.away, 'new'))]).toEqual([[], ['deep']]);
    expect(swapped.openPlaces()).toEqual([]);
  });

  it('that comes and goes all the time never gets a file', async () => {
    const swapped = makeSwappedFolder('dst');
    const target = open(swapped, 'dst');
    await swapped.startSwapping();
    for (let number = 0; number < 60; number++) {
      await Promise.all([0, 1].map((part) => target.deliver(outgoing(['a'], { number: `${number}-000${part}` }), signal)));
    }
    expect([readdirSync(swapped.other), swapped.openPlaces()]).toEqual([[], []]);
  });

  it('does not keep batches that are under way together from sharing a descriptor of their folder', async () => {
    const swapped = makeSwappedFolder('dst');
    const target = open(swapped, 'dst');
    let most = 0;
    const look = () => {
      most = Math.max(most, swapped.openPlaces().filter((place) => place === swapped.folder).length);
    };
    const written = (number: number, assertOurs: () => void) =>
      target.deliver(outgoing(['a'], { number: `${number}`, assertOurs }), signal);
    await Promise.all(Array.from({ length: 12 }, (_, number) => written(number, look)));
    // Two fsyncs have one each.
    expect(most).toBeLessThanOrEqual(3);
    await written(12, swapped.swap);
    expect([readdirSync(swapped.other), readdirSync(swapped.away).length, swapped.openPlaces()]).toEqual([[], 13, []]);
  });
});
