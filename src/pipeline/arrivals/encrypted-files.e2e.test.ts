import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasComponent, itWith } from '../../../test/support/components.ts';
import { type Gnupg, startGnupg } from '../../../test/support/gnupg.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { tarArchive } from '../../../test/support/tar-archive.ts';
import { zipArchive } from '../../../test/support/zip-archive.ts';
import { createWorld, endAt, SimulatedEnd, type World } from './arrivals.fixture.ts';

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const small = 'a,1.00\n';
const big = 'b,1.00\n'.repeat(20_000);
const members = [
  { name: 'a.csv', content: small },
  { name: 'b.csv', content: big },
];
const both = { recipients: ['bank@example.org'], signer: 'sender@example.org' };

let database: TestDatabase;
let gnupg: Gnupg;
let world: World;
let secrets: Record<string, string>;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  if (!hasComponent('gpg')) return;
  gnupg = startGnupg();
  for (const user of ['bank@example.org', 'sender@example.org', 'stranger@example.org']) gnupg.makeKey(user);
  secrets = { OWN: gnupg.privateKey('bank@example.org'), SENDER: gnupg.publicKey('sender@example.org') };
});
afterAll(async () => {
  gnupg?.close();
  await database.drop();
});
beforeEach(async () => {
  world = await createWorld(database);
  Object.assign(world.settings.secrets, secrets);
  set({
    unpack: ['pgp'],
    pgp: { tenant: 'bank', privateKey: 'env:OWN', passphrase: null, signers: ['env:SENDER'], isSignatureRequired: true },
  });
});

function set(source: Partial<World['settings']['source']>): void {
  world.settings.source = { ...world.settings.source, ...source };
}

const encrypt = (content: string | Uint8Array, options: Parameters<Gnupg['encrypt']>[1] = both) =>
  gnupg.encrypt(Buffer.from(content as string), options);

async function expectNoOrphans(): Promise<void> {
  const named = [...(await world.files()), ...(await world.arrivals())].flatMap((row) => (row.object === null ? [] : [row.object.name]));
  expect(new Set(world.storedNames())).toEqual(new Set(named));
}

describe('an encrypted file', () => {
  itWith('gpg')('becomes a file of its own, beside the message as it came', async () => {
    const message = encrypt(big);
    world.put('day.csv.pgp', message);
    expect((await world.poll()).verdicts).toMatchObject({ unpacked: 1, accepted: 1 });
    const [file] = await world.files();
    expect(file).toMatchObject({ name: 'day.csv', sha256: sha256(big), container_name: 'day.csv.pgp', container_sha256: sha256(message) });
    expect(await world.content(file!.object)).toBe(big);
    await expectNoOrphans();
  });

  itWith('gpg')('may hold an archive, in any way of packing', async () => {
    for (const [unpack, content] of [
      [['pgp', 'zip'], encrypt(zipArchive(members))],
      [['pgp', 'tar'], encrypt(tarArchive(members.map(({ name, content: each }) => ({ name: `new-${name}`, content: `x${each}` }))))],
      [['zip', 'pgp'], zipArchive(members.map(({ name, content: each }) => ({ name: `each-${name}`, content: encrypt(`y${each}`) })))],
    ] as const) {
      set({ unpack });
      expect(await world.upload({ content })).toMatchObject({ kind: 'unpacked' });
    }
    expect((await world.files()).map(({ name }) => name)).toEqual(['a.csv', 'b.csv', 'new-a.csv', 'new-b.csv', 'each-a.csv', 'each-b.csv']);
    await expectNoOrphans();
  });

  itWith('gpg')('encrypted anew is the same file', async () => {
    await world.upload({ content: encrypt(big) });
    expect(await world.upload({ content: encrypt(big) })).toMatchObject({ kind: 'unpacked' });
    expect((await world.arrivals()).map(({ state }) => state)).toEqual(['unpacked', 'accepted', 'unpacked', 'duplicate']);
  });

  const bad: [string, string, () => Buffer][] = [
    ['to others', 'E_PGP_OTHER_KEY', () => encrypt(big, { ...both, recipients: ['stranger@example.org'] })],
    ['unsigned', 'E_PGP_UNSIGNED', () => encrypt(big, { recipients: both.recipients })],
    ['signed by a stranger', 'E_PGP_SIGNER', () => encrypt(big, { ...both, signer: 'stranger@example.org' })],
    ['signed over SHA-1', 'E_PGP_WEAK', () => encrypt(big, { ...both, args: ['--digest-algo', 'SHA1'] })],
    ['cut off', 'E_PGP_INTEGRITY', () => encrypt(big).subarray(0, -10)],
    ['in the clear', 'E_PGP_MESSAGE', () => Buffer.from(big)],
    ['a bomb', 'E_BOMB', () => encrypt(Buffer.alloc(40 * 1024 * 1024))],
  ];
  it.runIf(hasComponent('gpg')).each(bad)(
    'that is not as it should be goes to quarantine as it came, and nothing else is kept: %s',
    async (_what, code, make) => {
      const content = make();
      expect(await world.upload({ content })).toMatchObject({ kind: 'quarantined', code });
      expect((await world.arrivals()).map(({ object }) => object!.sha256)).toEqual([sha256(content)]);
      expect(await world.files()).toEqual([]);
      expect(await world.jobs()).toBe(0);
      await expectNoOrphans();
    },
  );

  itWith('gpg')('whose archive is not signed is not released, though all its members were read', async () => {
    set({ unpack: ['pgp', 'tar'] });
    const content = encrypt(tarArchive(members), { recipients: both.recipients });
    expect(await world.upload({ content })).toMatchObject({ kind: 'quarantined', code: 'E_PGP_UNSIGNED' });
    expect(await world.files()).toEqual([]);
    await expectNoOrphans();
  });

  itWith('gpg')('waits at its source while the keys can not be used', async () => {
    world.put('day.csv.pgp', encrypt(small));
    for (const wrong of [secrets['SENDER']!, '']) {
      world.settings.secrets['OWN'] = wrong;
      await expect(world.poll()).rejects.toMatchObject({ code: 'E_PGP_READING_KEYS', retryable: true });
    }
    expect((await world.arrivals()).map(({ state }) => state)).toEqual(['complete']);
    world.settings.secrets['OWN'] = secrets['OWN']!;
    expect((await world.poll()).verdicts).toMatchObject({ unpacked: 1, accepted: 1 });
  });

  it
    .runIf(hasComponent('gpg'))
    .each(['arrivals.after-read', 'arrivals.before-pack', 'arrivals.before-commit', 'arrivals.after-commit', 'arrivals.after-move'])(
    'at an end of the process at %s is accepted once',
    async (point) => {
      set({ unpack: ['pgp', 'zip'] });
      world.put('day.zip.pgp', encrypt(zipArchive(members)));
      await expect(world.poll({ crashPoints: endAt(point) })).rejects.toBeInstanceOf(SimulatedEnd);
      await world.poll();
      await world.poll();
      expect((await world.files()).map(({ name }) => name)).toEqual(['a.csv', 'b.csv']);
      expect(await world.jobs()).toBe(2);
      expect(world.inDone()).toEqual(['day.zip.pgp']);
    },
  );
});
