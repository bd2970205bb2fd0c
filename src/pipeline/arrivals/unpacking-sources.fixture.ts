/** What every polled place has in common when its files are packed: archives, encrypted archives, and ends of the process. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Gnupg } from '../../../test/support/gnupg.ts';
import { tarArchive } from '../../../test/support/tar-archive.ts';
import { zipArchive } from '../../../test/support/zip-archive.ts';
import { endAt, SimulatedEnd, type World } from './arrivals.fixture.ts';

/** Of any place: what it can not do at once it does later. */
export interface PackedWorld extends Pick<World, 'settings' | 'poll' | 'arrivals' | 'files' | 'content' | 'jobs' | 'storedNames'> {
  put(name: string, content: Uint8Array): void | Promise<void>;
  names(): string[] | Promise<string[]>;
  inDone(): string[] | Promise<string[]>;
  inQuarantine(): string[] | Promise<string[]>;
}

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const bank = 'bank@example.org';
const sender = 'sender@example.org';

export function makeKeysOfSources(gnupg: Gnupg): void {
  for (const user of [bank, sender]) gnupg.makeKey(user);
}

/** More than one range and more than a piece of a read. */
const big = Array.from({ length: 120_000 }, (_, row) => `b${row},1.00\n`).join('');
const contents = (mark: string) => [
  { name: `${mark}-a.csv`, content: `${mark},1.00\n` },
  { name: `${mark}-b.csv`, content: mark + big },
];

function setUnpack({ settings }: PackedWorld, unpack: World['settings']['source']['unpack']): void {
  settings.source = { ...settings.source, unpack };
}

/** Archives in each way of packing, a bad one and one that was cut: whole or not at all, and nothing is left of it in the store. */
export async function expectArchives(world: PackedWorld): Promise<void> {
  for (const [unpack, archive, mark] of [
    [['zip'], zipArchive(contents('z')), 'z'],
    [['tar'], tarArchive(contents('t')), 't'],
  ] as const) {
    setUnpack(world, unpack);
    await world.put(`day.${mark}`, archive);
    await world.put(`bad.${mark}`, archive.subarray(0, -600));
    expect((await world.poll()).verdicts).toMatchObject({ unpacked: 1, accepted: 2, quarantined: 1 });
    const files = (await world.files()).slice(-2);
    expect(files.map(({ name, sha256: hash }) => [name, hash])).toEqual(contents(mark).map(({ name, content }) => [name, sha256(content)]));
    for (const file of files)
      expect([file.container_name, file.container_sha256, file.via]).toEqual([`day.${mark}`, sha256(archive), unpack]);
    expect(await world.content(files[1]!.object)).toBe(mark + big);
  }
  expect(await world.names()).toEqual([]);
  expect([await world.inDone(), await world.inQuarantine()]).toEqual([
    ['day.t', 'day.z'],
    ['bad.t', 'bad.z'],
  ]);
  expect((await world.arrivals()).flatMap(({ reason_code: code }) => code ?? [])).toEqual(['E_ARCHIVE', 'E_ARCHIVE']);
  await expectNoOrphans(world);
}

/** An encrypted and signed archive; the same without a signature; and one that ends the process after COMMIT and before it is moved. */
export async function expectEncryptedArchives(world: PackedWorld, gnupg: Gnupg): Promise<void> {
  Object.assign(world.settings.secrets, { OWN: gnupg.privateKey(bank), SENDER: gnupg.publicKey(sender) });
  setUnpack(world, ['pgp', 'zip']);
  world.settings.source = {
    ...world.settings.source,
    pgp: { tenant: 'bank', privateKey: 'env:OWN', passphrase: null, signers: ['env:SENDER'], isSignatureRequired: true },
  };
  const encrypt = (mark: string, signer?: string) => gnupg.encrypt(zipArchive(contents(mark)), { recipients: [bank], signer });
  const message = encrypt('e', sender);
  await world.put('day.zip.pgp', message);
  await world.put('unsigned.zip.pgp', encrypt('u'));
  await expect(world.poll({ crashPoints: endAt('arrivals.after-commit') })).rejects.toBeInstanceOf(SimulatedEnd);
  await world.poll();
  expect((await world.files()).map(({ name, container_sha256: hash, via }) => [name, hash, via])).toEqual(
    contents('e').map(({ name }) => [name, sha256(message), ['pgp', 'zip']]),
  );
  expect([await world.names(), await world.inDone(), await world.inQuarantine(), await world.jobs()]).toEqual([
    [],
    ['day.zip.pgp'],
    ['unsigned.zip.pgp'],
    2,
  ]);
  expect((await world.arrivals()).flatMap(({ reason_code: code }) => code ?? [])).toEqual(['E_PGP_UNSIGNED']);
  await expectNoOrphans(world);
}

async function expectNoOrphans(world: PackedWorld): Promise<void> {
  const rows = [...(await world.files()), ...(await world.arrivals())];
  expect(new Set(world.storedNames())).toEqual(new Set(rows.flatMap(({ object }) => (object === null ? [] : [object.name]))));
}
