import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKey } from 'openpgp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { hasComponent, itWith } from '../../../../test/support/components.ts';
import { type Gnupg, startGnupg } from '../../../../test/support/gnupg.ts';
import { temporaryFolder } from '../../../../test/support/temporary-store.ts';
import { again, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { fileConnector } from '../file/file-connector.ts';

let gnupg: Gnupg;
let env: Record<string, string>;
beforeAll(() => {
  if (!hasComponent('gpg')) return;
  gnupg = startGnupg();
  gnupg.makeKey('clearing@example.org');
  gnupg.makeKey('auditor@example.org');
  gnupg.makeKey('own@example.org', { passphrase: 'own phrase' });
  gnupg.makeKey('gone@example.org', { expires: 'seconds=1' });
  env = {
    CLEARING: gnupg.publicKey('clearing@example.org'),
    AUDITOR: gnupg.publicKey('auditor@example.org'),
    GONE: gnupg.publicKey('gone@example.org'),
    OWN: gnupg.privateKey('own@example.org', 'own phrase'),
    PHRASE: 'own phrase',
    WRONG: 'another phrase',
  };
});
afterAll(() => gnupg?.close());

const signal = new AbortController().signal;
const keys = { pgpRecipients: ['env:CLEARING', 'env:AUDITOR'], pgpSigningKey: 'env:OWN', pgpPassphrase: 'env:PHRASE' };

function open(connection: Record<string, unknown> = keys, settings: Record<string, unknown> = { encrypt: true, sign: true }) {
  const root = temporaryFolder();
  const target = fileConnector.open(openOptions(fileConnector, { settings, connection: { root, ...connection }, env }));
  onTestFinished(() => target.close());
  return { root, target, place: join(root, 'eft-out-1-0000.ndjson.pgp') };
}

describe('a file that is encrypted and signed', () => {
  itWith('gpg')('is decrypted by GnuPG, whole and with a good signature, and holds nothing in the clear', async () => {
    const { root, target, place } = open();
    const batch = outgoing(Array.from({ length: 40_000 }, (_, index) => `record-${index}`));
    expect((await target.deliver(batch, signal)).kind).toBe('acked');
    expect(readdirSync(root)).toEqual(['eft-out-1-0000.ndjson.pgp']);
    const message = readFileSync(place);
    expect(message.includes('customer-secret')).toBe(false);
    const { content, status } = gnupg.decrypt(message);
    expect(content.equals(Buffer.concat([...batch.body.pieces()]))).toBe(true);
    expect(status.filter((line) => line.startsWith('ENC_TO')).length).toBe(2);
    for (const word of ['DECRYPTION_OKAY', 'GOODMDC', 'GOODSIG']) expect(status.some((line) => line.startsWith(word))).toBe(true);
  });

  itWith('gpg')('is known again by what it holds, though no attempt writes the same bytes', async () => {
    const { target, place } = open();
    const batch = outgoing(['a', 'b']);
    await target.deliver(batch, signal);
    const first = readFileSync(place);
    expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'acked' });
    expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'acked', evidence: expect.stringMatching(/already/) });
    expect(readFileSync(place).equals(first)).toBe(true);
    const elsewhere = open();
    await elsewhere.target.deliver(batch, signal);
    expect(readFileSync(elsewhere.place).equals(first)).toBe(false);
  });

  itWith('gpg')('is not one of another batch, one that is damaged, or one that is no message', async () => {
    const { target, place } = open();
    const batch = outgoing(['a']);
    await target.deliver(outgoing(['a']), signal);
    expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_CONFLICT' });
    const own = open();
    await own.target.deliver(batch, signal);
    const message = readFileSync(own.place);
    for (const other of [
      message.subarray(0, -30),
      Buffer.from(message.map((byte, at) => (at === message.length - 40 ? byte ^ 1 : byte))),
      Buffer.from('text'),
    ]) {
      writeFileSync(place, other);
      expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'resendable' });
    }
    writeFileSync(place, message);
    expect(await target.resolve!(again(batch), signal)).toMatchObject({ kind: 'acked' });
  });

  itWith('gpg')('is only signed where its target says so', async () => {
    const { target, place } = open(keys, { encrypt: true });
    await target.deliver(outgoing(['a']), signal);
    const { status } = gnupg.decrypt(readFileSync(place));
    expect(status.some((line) => line.startsWith('DECRYPTION_OKAY'))).toBe(true);
    expect(status.some((line) => line.startsWith('GOODSIG'))).toBe(false);
  });
});

describe('keys that are no use', () => {
  const refusals: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['of a recipient that expired', { ...keys, pgpRecipients: ['env:CLEARING', 'env:GONE'] }, 'E_PGP_RECIPIENT'],
    ['of a recipient that are no keys', { ...keys, pgpRecipients: ['env:PHRASE'] }, 'E_PGP_RECIPIENT'],
    ['of a recipient that are private', { ...keys, pgpRecipients: ['env:OWN'] }, 'E_PGP_RECIPIENT'],
    ['to sign with that are public', { ...keys, pgpSigningKey: 'env:CLEARING' }, 'E_PGP_SIGNING_KEY'],
    ['to sign with under another passphrase', { ...keys, pgpPassphrase: 'env:WRONG' }, 'E_PGP_SIGNING_KEY'],
    ['whose secret is missing', { ...keys, pgpRecipients: ['env:NOWHERE'] }, 'E_SECRET_MISSING'],
  ];
  for (const [title, connection, code] of refusals)
    itWith('gpg')(`${title} let nothing out, and the batch waits for better ones`, async () => {
      const { root, target } = open(connection);
      const outcome = await target.deliver(outgoing(['a']), signal);
      expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code });
      for (const secret of ['own phrase', 'another phrase', 'BEGIN PGP']) expect(JSON.stringify(outcome)).not.toContain(secret);
      expect(readdirSync(root)).toEqual([]);
    });

  it('because their time has not come are used once it has, and no longer than it lasts', async () => {
    const dayMs = 86_400_000;
    const now = Date.now();
    const userIDs = { name: 'later', email: 'later@example.org' };
    const validity = { date: new Date(now + dayMs), keyExpirationTime: dayMs / 1_000 };
    const { publicKey } = await generateKey({ userIDs, ...validity });
    const root = temporaryFolder();
    const connection = { root, pgpRecipients: ['env:LATER'] };
    const target = fileConnector.open(openOptions(fileConnector, { settings: { encrypt: true }, connection, env: { LATER: publicKey } }));
    onTestFinished(async () => {
      vi.useRealTimers();
      await target.close();
    });
    const batch = outgoing(['a']);
    const refused = { kind: 'refused', retryable: true, code: 'E_PGP_RECIPIENT' };
    expect(await target.deliver(batch, signal)).toMatchObject(refused);
    vi.useFakeTimers({ now: now + 1.5 * dayMs, toFake: ['Date'] });
    expect(await target.deliver(again(batch), signal)).toMatchObject({ kind: 'acked' });
    vi.setSystemTime(now + 3 * dayMs);
    expect(await target.deliver(outgoing(['b']), signal)).toMatchObject(refused);
    expect(readdirSync(root)).toHaveLength(1);
  });

  itWith('gpg')('or are not there are refused before anything is opened', () => {
    expect(() => open({})).toThrowError(/no pgpRecipients/);
    expect(() => open({ pgpRecipients: ['env:CLEARING'] })).toThrowError(/no pgpSigningKey/);
    expect(() => open(keys, { sign: true })).toThrowError(/signs only what it encrypts/);
  });
});
