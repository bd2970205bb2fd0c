import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RunningTestServer, type TestTenant, testRows } from '../../../../test/support/running-server.ts';
import { zipArchive } from '../../../../test/support/zip-archive.ts';
import {
  addPartner,
  arrivalsOf,
  connect,
  type Partner,
  type PartnerSession,
  partnerFlow,
  servePartner,
  until,
} from './sftp-server.fixture.ts';

let server: RunningTestServer;
let bank: TestTenant;
let partner: Partner;
beforeAll(async () => {
  const served = await servePartner('brought-bank');
  ({ server, bank, partner } = served);
  return served.stop;
});

let files = 0;
const rows = () => testRows(3, 0, 1_000 + ++files);
const namesTaken = async () => (await arrivalsOf(server, bank)).map(({ name }) => name);

describe('a file that is brought', () => {
  it('is accepted when its close is answered, and its receipt says so', async () => {
    const session = await connect(server, partner);
    expect(await session.put('/payments/a.csv', rows())).toBeNull();
    const receipt = await session.receipt('/receipts/payments/a.csv.receipt.json');
    expect(receipt).toMatchObject({ name: 'a.csv', folder: 'payments', flow: 'payments', state: 'accepted', code: null });
    expect(await arrivalsOf(server, bank)).toContainEqual(
      expect.objectContaining({ arrivalId: receipt.arrivalId, name: 'a.csv', state: 'accepted', sha256: receipt.sha256, source: 'upload' }),
    );
    // Some clients look at the size after an upload.
    const { value } = await session.ask<{ size: number }>((done) => session.sftp.stat('/payments/a.csv', done as never));
    expect(value.size).toBe(receipt.bytes);
  });

  it('may come in pieces in another order, several files at once', async () => {
    const session = await connect(server, partner);
    const contents = [0, 1, 2].map((index) => Buffer.from(testRows(20_000, 0, 7 + index)));
    await Promise.all(
      contents.map(async (content, index) => {
        const { value: handle } = await session.open(`/payments/pieces-${index}.csv`);
        const offsets = Array.from({ length: Math.ceil(content.length / 30_000) }, (_, piece) => piece * 30_000);
        // Pairs the other way round.
        for (let pair = 0; pair + 1 < offsets.length; pair += 2) [offsets[pair], offsets[pair + 1]] = [offsets[pair + 1]!, offsets[pair]!];
        const answers = await Promise.all(offsets.map((at) => session.write(handle, at, content.subarray(at, at + 30_000))));
        expect(answers.filter(({ refusal }) => refusal)).toEqual([]);
        expect((await session.close(handle)).refusal).toBeNull();
      }),
    );
    for (const [index, content] of contents.entries())
      expect(await session.receipt(`/receipts/payments/pieces-${index}.csv.receipt.json`)).toMatchObject({
        state: 'accepted',
        bytes: content.length,
      });
  });

  it('twice is a duplicate, which is no failure, and names the first', async () => {
    const session = await connect(server, partner);
    const content = rows();
    expect(await session.put('/payments/first.csv', content)).toBeNull();
    expect(await session.put('/payments/second.csv', content)).toBeNull();
    const first = await session.receipt('/receipts/payments/first.csv.receipt.json');
    expect(await session.receipt('/receipts/payments/second.csv.receipt.json')).toMatchObject({
      state: 'duplicate',
      duplicateOf: first.fileId,
      code: 'E_DUPLICATE',
    });
  });

  it('at once by two ways in is accepted once (A10)', async () => {
    await bank.apply(
      ...partnerFlow({ out: server.out, user: 'partner', folder: 'both' }).map((text) =>
        text.replace('sources:\n', 'sources:\n    - { id: web, type: http }\n'),
      ),
    );
    const session = await connect(server, partner);
    const content = rows();
    const [refusal, answer] = await Promise.all([
      session.put('/both/once.csv', content),
      server.upload(bank.key, { flow: 'both', name: 'once.csv', body: content }),
    ]);
    expect(refusal).toBeNull();
    expect([200, 201]).toContain(answer.status);
    const states = (await arrivalsOf(server, bank)).filter(({ name }) => name === 'once.csv').map(({ state }) => state);
    expect(states.sort()).toEqual(['accepted', 'duplicate']);
  });

  it('under a known name is another arrival, and changes no accepted one (A5)', async () => {
    const session = await connect(server, partner);
    expect(await session.put('/payments/again.csv', rows())).toBeNull();
    const before = await session.receipt('/receipts/payments/again.csv.receipt.json');
    expect(await session.put('/payments/again.csv', rows())).toBeNull();
    const after = await session.receipt('/receipts/payments/again.csv.receipt.json');
    expect(after.fileId).not.toBe(before.fileId);
    expect((await server.request(`/v1/files/${before.fileId}`, { key: bank.key })).json.sha256).toBe(before.sha256);
  });

  it('that goes to quarantine fails at its close, with its code, and has a receipt', async () => {
    const packed = await addPartner(server, bank, {
      user: 'packed',
      folder: 'packed',
      source: ', unpack: gzip, limits: { maxUnpackedSize: 2MiB }',
    });
    const session = await connect(server, packed);
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
    expect(await session.put('/packed/bomb.csv.gz', bomb)).toMatchObject({ status: 4, message: expect.stringMatching(/^E_BOMB: /) });
    expect(await session.receipt('/receipts/packed/bomb.csv.gz.receipt.json')).toMatchObject({ state: 'quarantined', code: 'E_BOMB' });
    expect(await session.put('/packed/sound.csv.gz', gzipSync(rows()))).toBeNull();
  });

  it('that is an archive has a receipt for each member', async () => {
    const archiving = await addPartner(server, bank, { user: 'archiving', folder: 'archiving', source: ', unpack: zip' });
    const session = await connect(server, archiving);
    const archive = zipArchive(['a', 'b'].map((name) => ({ name: `${name}-of-zip.csv`, content: rows() })));
    expect(await session.put('/archiving/both.zip', archive)).toBeNull();
    expect(await session.names('/receipts/archiving')).toEqual(
      ['a', 'b', 'both'].map((name) => `${name}${name === 'both' ? '.zip' : '-of-zip.csv'}.receipt.json`),
    );
    expect(await session.receipt('/receipts/archiving/both.zip.receipt.json')).toMatchObject({ state: 'unpacked' });
    expect(await session.receipt('/receipts/archiving/a-of-zip.csv.receipt.json')).toMatchObject({ state: 'accepted' });
  });

  it('that is held for a person is no failure', async () => {
    const [connection, flow] = partnerFlow({ out: server.out, user: 'partner', folder: 'held' });
    await bank.apply(connection!, flow!.replace('  format:', '  duplicates: { onDuplicate: hold }\n  format:'));
    const session = await connect(server, partner);
    const content = rows();
    expect(await session.put('/held/one.csv', content)).toBeNull();
    expect(await session.put('/held/two.csv', content)).toBeNull();
    expect(await session.receipt('/receipts/held/two.csv.receipt.json')).toMatchObject({ state: 'held' });
  });

  it('packed although its source does not say so is refused while it comes, and nothing is kept', async () => {
    const session = await connect(server, partner);
    expect(await session.put('/payments/unsaid.csv', gzipSync(rows()))).toMatchObject({
      message: expect.stringMatching(/^E_CONTENT_ENCODING: /),
    });
    expect(await namesTaken()).not.toContain('unsaid.csv');
  });
});

describe('a file that is not complete', () => {
  it.each([
    ['its connection', (session: PartnerSession): void => void session.client.destroy()],
    ['its channel', (session: PartnerSession): void => void session.sftp.end()],
  ] as const)('is never taken when %s ends, and its place is free again', async (what, cut) => {
    const user = what.replace('its ', 'cut-');
    const cautious = await addPartner(server, bank, { user, folder: user, limits: ', maxUploads: 1' });
    const session = await connect(server, cautious);
    const { value: handle } = await session.open(`/${user}/cut.csv`);
    expect((await session.write(handle, 0, Buffer.from(rows()))).refusal).toBeNull();
    const next = await connect(server, cautious);
    expect(await next.put(`/${user}/next.csv`, rows())).toMatchObject({ message: expect.stringMatching(/^E_SFTP_QUOTA: /) });
    cut(session);
    await until(async () => (await next.put(`/${user}/next.csv`, rows())) === null);
    expect(await namesTaken()).toContain('next.csv');
    expect(await namesTaken()).not.toContain('cut.csv');
  });

  it.each([
    ['resumes in the middle (A6)', 'E_RESUME', [[200_000_000, 'rest']]],
    [
      'has a hole',
      'E_RESUME',
      [
        [0, 'id,account,amount\n'],
        [30, 'P1'],
      ],
    ],
    [
      'is written twice',
      'E_UPLOAD_ORDER',
      [
        [0, 'id,account,amount\n'],
        [0, 'id'],
      ],
    ],
    [
      'is sparse (A5)',
      'E_UPLOAD_ORDER',
      [
        [0, 'id,account,amount\n'],
        [2 ** 40, '\n'],
      ],
    ],
  ] as const)('is refused when it %s', async (_name, code, writes) => {
    const session = await connect(server, partner);
    const { value: handle } = await session.open('/payments/odd.csv');
    for (const [offset, text] of writes) void session.write(handle, offset, Buffer.from(text));
    expect((await session.close(handle)).refusal).toMatchObject({ status: 4, message: expect.stringMatching(new RegExp(`^${code}: `)) });
    expect(await namesTaken()).not.toContain('odd.csv');
    expect(await session.names('/payments')).toEqual([]);
  });

  it('does not get longer by saying so (A5)', async () => {
    const session = await connect(server, partner);
    const { value: handle } = await session.open('/payments/longer.csv');
    const content = Buffer.from(rows());
    await session.write(handle, 0, content);
    expect((await session.ask((done) => session.sftp.fsetstat(handle, { size: 2 ** 40 } as never, done))).refusal).toMatchObject({
      status: 3,
    });
    expect((await session.ask((done) => session.sftp.fsetstat(handle, { mtime: 1, atime: 1 } as never, done))).refusal).toBeNull();
    expect((await session.close(handle)).refusal).toBeNull();
    expect(await session.receipt('/receipts/payments/longer.csv.receipt.json')).toMatchObject({ bytes: content.length });
    expect((await session.ask((done) => session.sftp.setstat('/payments/longer.csv', { size: 0 } as never, done))).refusal).toMatchObject({
      status: 3,
    });
  });
});

describe('a file under a temporary name', () => {
  const rename = (session: PartnerSession, from: string, to: string) => session.ask((done) => session.sftp.rename(from, to, done));

  it('is taken when it is renamed, under its own name, and not before', async () => {
    const session = await connect(server, partner);
    expect(await session.put('/payments/late.csv.filepart', rows())).toBeNull();
    expect(await session.names('/payments')).toEqual(['late.csv.filepart']);
    expect(await namesTaken()).not.toContain('late.csv');
    expect((await rename(session, '/payments/late.csv.filepart', '/payments/late.csv')).refusal).toBeNull();
    expect(await namesTaken()).toContain('late.csv');
    expect(await session.names('/payments')).toEqual(['late.csv']);
    expect(await namesTaken()).not.toContain('late.csv.filepart');
  });

  it.each([
    ['another name', '/payments/other.csv'],
    ['another folder', '/receipts/named.csv'],
    ['the root', '/named.csv'],
    ['a path that leads up', '/payments/../../named.csv'],
  ])('is not renamed to %s, and is still there', async (_name, to) => {
    const session = await connect(server, partner);
    await session.put('/payments/named.csv.filepart', rows());
    expect((await rename(session, '/payments/named.csv.filepart', to)).refusal).toMatchObject({
      message: expect.stringMatching(/^E_SFTP_RENAME: /),
    });
    expect(await session.names('/payments')).toEqual(['named.csv.filepart']);
  });

  it('is gone with its session, and can be removed', async () => {
    const session = await connect(server, partner);
    await session.put('/payments/gone.csv.filepart', rows());
    session.end();
    await session.closed;
    const next = await connect(server, partner);
    expect((await rename(next, '/payments/gone.csv.filepart', '/payments/gone.csv')).refusal).toMatchObject({ status: 2 });
    await next.put('/payments/gone.csv.filepart', rows());
    expect((await next.ask((done) => next.sftp.unlink('/payments/gone.csv.filepart', done))).refusal).toBeNull();
    await until(async () => (await next.names('/payments')).length === 0);
    expect(await namesTaken()).not.toContain('gone.csv');
  });

  it('is the only way in where the source says so', async () => {
    const careful = await addPartner(server, bank, { user: 'careful', folder: 'careful', source: ', complete: rename, temporary: .part' });
    const session = await connect(server, careful);
    expect(await session.put('/careful/direct.csv', rows())).toMatchObject({ message: expect.stringMatching(/^E_SFTP_TEMPORARY: /) });
    expect(await session.put('/careful/renamed.csv.part', rows())).toBeNull();
    expect((await rename(session, '/careful/renamed.csv.part', '/careful/renamed.csv')).refusal).toBeNull();
    expect(await namesTaken()).toContain('renamed.csv');
    expect(await namesTaken()).not.toContain('direct.csv');
  });

  it('that was taken is not renamed or removed any more', async () => {
    const session = await connect(server, partner);
    await session.put('/payments/kept.csv', rows());
    expect((await rename(session, '/payments/kept.csv', '/payments/moved.csv')).refusal).toMatchObject({
      message: expect.stringMatching(/^E_SFTP_RENAME: /),
    });
    expect((await session.ask((done) => session.sftp.unlink('/payments/kept.csv', done))).refusal).toMatchObject({ status: 3 });
    expect((await session.open('/payments/kept.csv', 'r')).refusal).toMatchObject({ status: 3 });
  });
});

describe('a file with a manifest', () => {
  const sumOf = (content: string, name: string) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`;

  it('is taken when it is what the manifest says that came before, and not without one', async () => {
    const summed = await addPartner(server, bank, { user: 'summed', folder: 'summed', source: ', complete: manifest' });
    const session = await connect(server, summed);
    const content = rows();
    expect(await session.put('/summed/a.csv', content)).toMatchObject({ message: expect.stringMatching(/^E_SFTP_MANIFEST: /) });
    expect(await session.put('/summed/a.csv.sha256', sumOf(content, 'a.csv'))).toBeNull();
    expect(await session.put('/summed/a.csv', content.slice(0, -10))).toMatchObject({ message: expect.stringMatching(/^E_DIGEST: /) });
    expect(await session.put('/summed/a.csv', content)).toMatchObject({ message: expect.stringMatching(/^E_SFTP_MANIFEST: /) });
    expect(await namesTaken()).not.toContain('a.csv.sha256');
    await session.put('/summed/a.csv.sha256', sumOf(content, 'a.csv'));
    expect(await session.put('/summed/a.csv', content)).toBeNull();
    expect(await session.receipt('/receipts/summed/a.csv.receipt.json')).toMatchObject({ state: 'accepted' });
    expect(await namesTaken()).not.toContain('a.csv.sha256');
  });

  it('that differs from it is told why in its receipt, to every session of the user, until a file of the name is taken', async () => {
    const told = await addPartner(server, bank, { user: 'told', folder: 'told', source: ', complete: manifest' });
    const other = await addPartner(server, bank, { user: 'other', folder: 'other', source: ', complete: manifest' });
    const content = rows();
    const session = await connect(server, told);
    await session.put('/told/a.csv.sha256', sumOf(content, 'a.csv'));
    await session.put('/told/a.csv', content.slice(0, -10));
    // Without its manifest it is refused before a byte comes: the receipt is still that of the last one that came whole.
    await session.put('/told/a.csv', content);
    session.end();
    const later = await connect(server, told);
    expect(await later.names('/receipts/told')).toEqual(['a.csv.receipt.json']);
    const path = '/receipts/told/a.csv.receipt.json';
    expect(await later.receipt(path)).toEqual({
      ...{ name: 'a.csv', folder: 'told', flow: expect.any(String), state: 'refused', arrivalId: null, bytes: content.length - 10 },
      ...{ sha256: null, fileId: null, duplicateOf: null, code: 'E_DIGEST', reason: expect.stringMatching(/SHA-256/) },
      ...{ next: 'Send the file again.', at: expect.any(String) },
    });
    expect(await (await connect(server, other)).names('/receipts/other')).toEqual([]);
    expect(await namesTaken()).not.toContain('a.csv.sha256');
    await later.put('/told/a.csv.sha256', sumOf(content, 'a.csv'));
    expect(await later.put('/told/a.csv', content)).toBeNull();
    expect([await later.names('/receipts/told'), (await later.receipt(path)).state]).toEqual([['a.csv.receipt.json'], 'accepted']);
  });

  it.each([
    ['is no manifest', 'nothing'],
    ['is too large', 'x'.repeat(5_000)],
  ])('is not taken when that %s', async (what, manifest) => {
    const user = what.replaceAll(' ', '-');
    const summed = await addPartner(server, bank, { user, folder: user, source: ', complete: manifest' });
    const session = await connect(server, summed);
    expect(await session.put(`/${user}/b.csv.sha256`, manifest)).toMatchObject({ message: expect.stringMatching(/^E_SFTP_MANIFEST: /) });
    expect(await session.put(`/${user}/b.csv`, rows())).toMatchObject({ message: expect.stringMatching(/^E_SFTP_MANIFEST: /) });
  });

  it('is not taken by the manifest of another file', async () => {
    const summed = await addPartner(server, bank, { user: 'named', folder: 'named', source: ', complete: manifest' });
    const session = await connect(server, summed);
    const content = rows();
    await session.put('/named/c.csv.sha256', sumOf(content, 'other.csv'));
    expect(await session.put('/named/c.csv', content)).toMatchObject({ message: expect.stringMatching(/^E_SFTP_MANIFEST: /) });
  });
});
