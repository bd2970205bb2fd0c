import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMessage, encrypt, generateKey, readKey, readPrivateKey, revokeKey } from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasComponent, itWith } from '../../../test/support/components.ts';
import { type Gnupg, startGnupg } from '../../../test/support/gnupg.ts';
import type { PgpReadingKeys } from './pgp-reading.ts';
import { roomyUnpackLimits, unpackBytes } from './unpack-chain.fixture.ts';
import { createUnpackChain } from './unpack-chain.ts';

/** Frees what nobody uses. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

const content = Buffer.from(Array.from({ length: 5_000 }, (_, row) => `P${row},${row * 7919},${row % 97}.50\n`).join(''));
const to = { recipients: ['bank@example.org'] };
const both = { ...to, signer: 'sender@example.org' };

let gnupg: Gnupg;
let keys: PgpReadingKeys;
beforeAll(async () => {
  if (!hasComponent('gpg')) return;
  gnupg = startGnupg();
  gnupg.makeKey('bank@example.org', { passphrase: 'bank phrase' });
  gnupg.makeKey('sender@example.org');
  gnupg.makeKey('stranger@example.org');
  gnupg.makeKey('brief@example.org', { expires: 'seconds=3000' });
  keys = {
    privateKey: gnupg.privateKey('bank@example.org', 'bank phrase'),
    passphrase: 'bank phrase',
    signers: [gnupg.publicKey('sender@example.org'), gnupg.publicKey('brief@example.org')],
    isSignatureRequired: true,
    atMs: Date.now(),
  };
  revoked = await makeRevoked();
});
afterAll(() => gnupg?.close());

/** A message that was signed in time, by a key whose owner said since that it is stolen. */
let revoked: { readonly message: Uint8Array; readonly publicKey: string };
async function makeRevoked(): Promise<typeof revoked> {
  const { privateKey, publicKey } = await generateKey({ userIDs: [{ name: 'stolen' }], format: 'object' });
  const message = await encrypt({
    message: await createMessage({ binary: content }),
    encryptionKeys: [await readKey({ armoredKey: gnupg.publicKey('bank@example.org') })],
    signingKeys: privateKey,
    format: 'binary',
  });
  expect((await read(message, { signers: [publicKey.armor()] })).problem).toBeUndefined();
  return { message, publicKey: (await revokeKey({ key: privateKey, format: 'armored' })).publicKey };
}

/** Signed by the sender, with literal packets that the signature does not cover put in at places among the packets. */
async function withMoreLiterals(...places: readonly number[]): Promise<Uint8Array> {
  const signer = await readPrivateKey({ armoredKey: gnupg.privateKey('sender@example.org') });
  const signed = await (await createMessage({ binary: content })).sign([signer]);
  const more = await createMessage({ binary: Buffer.from('P0,1,999999.00\n') });
  for (const place of places) signed.packets.splice(place, 0, more.packets[0]!);
  const encryptionKeys = [await readKey({ armoredKey: gnupg.publicKey('bank@example.org') })];
  return await encrypt({ message: signed, encryptionKeys, format: 'binary' });
}

const neverAsked = () => {
  throw new Error('not asked for');
};

const read = (message: Uint8Array, more: Partial<PgpReadingKeys> = {}, limits = {}) =>
  unpackBytes(['pgp'], message, { pgpKeys: { ...keys, ...more }, limits });

describe('a message that GnuPG encrypted and signed', () => {
  it.runIf(hasComponent('gpg')).each<[string, string[]]>([
    ['as it does by itself', []],
    ['with armor', ['--armor']],
    ['without compression', ['--compress-algo', 'none']],
    ['packed with bzip2', ['--compress-algo', 'bzip2']],
    ['packed with zip', ['--compress-algo', 'zip']],
    ['with AEAD (OCB)', ['--force-ocb']],
    ['with AES-128', ['--cipher-algo', 'AES']],
    ['over SHA-256', ['--digest-algo', 'SHA256']],
    ['with a text signature', ['--textmode']],
  ])('%s, is read', async (_how, args) => {
    const { problem, members } = await read(gnupg.encrypt(content, { ...both, args }));
    expect(problem).toBeUndefined();
    const [, found] = members[0]!;
    expect(found.toString().replaceAll('\r\n', '\n')).toBe(content.toString());
  });

  itWith('gpg')('to several recipients, by several signers, or with nothing in it, is read', async () => {
    const many = gnupg.encrypt(content, {
      recipients: ['stranger@example.org', 'bank@example.org'],
      signer: 'sender@example.org',
      args: ['--local-user', 'stranger@example.org'],
    });
    expect((await read(many)).members[0]![1].equals(content)).toBe(true);
    expect((await read(gnupg.encrypt(Buffer.alloc(0), both))).members).toEqual([[null, Buffer.alloc(0)]]);
  });

  itWith('gpg')('is read in pieces of any size', async () => {
    for (const args of [[], ['--armor']])
      for (const pieceBytes of [1, 7, 4_096])
        expect(
          (await unpackBytes(['pgp'], gnupg.encrypt(content.subarray(0, 3_000), { ...both, args }), { pgpKeys: keys, pieceBytes }))
            .members[0]![1].length,
        ).toBe(3_000);
  });

  itWith('gpg')('costs the same memory whatever it holds', async () => {
    const useMax = 60 * 1024 * 1024;
    for (const args of [
      ['--compress-algo', 'none'],
      ['--armor', '--compress-algo', 'none'],
    ]) {
      const message = gnupg.encrypt(Buffer.alloc(100 * 1024 * 1024, content), { ...both, args });
      let peakBytes = 0;
      let bytes = 0;
      const use = () => {
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        return heapUsed + arrayBuffers;
      };
      await read(gnupg.encrypt(content, both));
      collect();
      const before = use();
      const chain = createUnpackChain(['pgp'], {
        limits: { unpackedBytesMax: 1e9, ratioMax: 200, entriesMax: 1 },
        receivedBytes: () => message.length,
        openReceived: () => {
          throw new Error('not asked for');
        },
        openScratch: () => {
          throw new Error('not asked for');
        },
        pgpKeys: keys,
        openMember: () => ({
          push(piece) {
            bytes += piece.length;
            // What nobody has freed yet is not in use.
            if (use() - before > useMax / 2) collect();
            peakBytes = Math.max(peakBytes, use() - before);
          },
          end: async () => {},
          abort() {},
        }),
      });
      for (let at = 0; at < message.length; at += 256 * 1024) await chain.push(message.subarray(at, at + 256 * 1024));
      await chain.end();
      expect(bytes).toBe(100 * 1024 * 1024);
      expect(peakBytes).toBeLessThan(useMax);
    }
  });
});

describe('a message', () => {
  const joined = (...parts: readonly (Uint8Array | string)[]) => Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  type Made = Uint8Array | Promise<Uint8Array>;
  const cases: [string, string, () => Made, (() => Partial<PgpReadingKeys>)?][] = [
    ['that is text', 'message', () => content],
    ['that is empty', 'message', () => Buffer.alloc(0)],
    ['that is text signed in the clear', 'message', () => gnupg.encrypt(content, { signer: 'sender@example.org', args: ['--clear-sign'] })],
    [
      'that is a signature without its file',
      'message',
      () => gnupg.encrypt(content, { args: ['--armor', '--local-user', 'sender@example.org', '--detach-sign'] }),
    ],
    ['with lines before its armor', 'message', () => joined('--\nmail\n', gnupg.encrypt(content, { ...both, args: ['--armor'] }))],
    ['that is a file of hyphens', 'message', () => Buffer.alloc(1_000_000, '-')],
    ['that is a key', 'message', () => Buffer.from(gnupg.publicKey('sender@example.org'))],
    ['that is only signed', 'message', () => gnupg.encrypt(content, { signer: 'sender@example.org' })],
    ['to others', 'recipient', () => gnupg.encrypt(content, { ...both, recipients: ['stranger@example.org'] })],
    ['to a password', 'recipient', () => gnupg.encrypt(content, { args: ['--passphrase', 'x', '--symmetric'] })],
    ['without a signature', 'unsigned', () => gnupg.encrypt(content, to)],
    ['signed by a stranger', 'signer', () => gnupg.encrypt(content, { ...to, signer: 'stranger@example.org' })],
    [
      'signed by a key that expired since',
      'signer',
      () => gnupg.encrypt(content, { ...to, signer: 'brief@example.org' }),
      () => ({ atMs: keys.atMs + 3_600_000 }),
    ],
    ['signed by a key that was revoked', 'signer', () => revoked.message, () => ({ signers: [revoked.publicKey] })],
    ['signed in the future', 'signature', () => gnupg.encrypt(content, both), () => ({ atMs: keys.atMs - 86_400_000 })],
    ['signed over SHA-1', 'weak', () => gnupg.encrypt(content, { ...both, args: ['--digest-algo', 'SHA1'] })],
    ...['CAST5', 'TWOFISH', 'CAMELLIA256', 'IDEA'].map((cipher): (typeof cases)[number] => [
      `encrypted with ${cipher}`,
      'weak',
      () => gnupg.encrypt(content, { ...both, args: ['--cipher-algo', cipher, '--allow-old-cipher-algos'] }),
    ]),
    ['without integrity protection', 'weak', () => gnupg.encrypt(content, { ...both, args: ['--rfc2440', '--disable-mdc'] })],
    ['that is cut off', 'integrity', () => gnupg.encrypt(content, both).subarray(0, -20)],
    ['with bytes behind its end', 'integrity', () => joined(gnupg.encrypt(content, both), 'x')],
    ['with another one behind it', 'integrity', () => joined(gnupg.encrypt(content, both), gnupg.encrypt(content, both))],
    ['in armor that is cut off', 'integrity', () => gnupg.encrypt(content, { ...both, args: ['--armor'] }).subarray(0, -40)],
    [
      'in armor with another one behind it',
      'integrity',
      () => joined(gnupg.encrypt(content, { ...both, args: ['--armor'] }), gnupg.encrypt(content, { ...both, args: ['--armor'] })),
    ],
    ['in armor with text behind it', 'integrity', () => joined(gnupg.encrypt(content, { ...both, args: ['--armor'] }), 'x')],
    ['that is a bomb', 'limits', () => gnupg.encrypt(Buffer.alloc(60 * 1024 * 1024), { ...both, args: ['-z', '9'] })],
    [
      'that is a bomb of bzip2',
      'limits',
      () => gnupg.encrypt(Buffer.alloc(60 * 1024 * 1024), { ...both, args: ['--compress-algo', 'bzip2'] }),
    ],
  ];

  it.runIf(hasComponent('gpg')).each(cases)('%s is refused (%s)', async (_what, kind, make, more) => {
    const { problem, members } = await read(await make(), more?.());
    expect([problem?.kind, members]).toEqual([kind, []]);
  });

  itWith('gpg')('in armor without an end of line is refused before it is all there', async () => {
    const chain = createUnpackChain(['pgp'], {
      limits: roomyUnpackLimits,
      receivedBytes: () => 1,
      openReceived: neverAsked,
      openScratch: neverAsked,
      pgpKeys: keys,
      openMember: () => ({ push: neverAsked, end: async () => {}, abort() {} }),
    });
    let pushed = 0;
    const pushing = (async () => {
      await chain.push(Buffer.from('-----BEGIN PGP MESSAGE-----'));
      for (; pushed < 1_000; pushed++) await chain.push(Buffer.alloc(16 * 1024, 'A'));
    })();
    await expect(pushing).rejects.toMatchObject({ problem: { kind: 'message' } });
    expect(pushed).toBeLessThan(10);
  });

  itWith('gpg')('to the key of before is read while both are there, in one block or in two', async () => {
    const before = gnupg.encrypt(content, { ...both, recipients: ['stranger@example.org'] });
    const own = gnupg.privateKey('bank@example.org', 'bank phrase');
    for (const privateKey of [own + gnupg.privateKey('stranger@example.org'), gnupg.privateKey('stranger@example.org') + own])
      for (const message of [before, gnupg.encrypt(content, both)])
        expect((await read(message, { privateKey })).members[0]![1].equals(content)).toBe(true);
  });

  itWith('gpg')('is signed by a key of any block of the text of a reference', async () => {
    const message = gnupg.encrypt(content, { ...to, signer: 'stranger@example.org' });
    const signers = [gnupg.publicKey('sender@example.org') + gnupg.publicKey('stranger@example.org')];
    expect((await read(message, { signers })).members[0]![1].equals(content)).toBe(true);
  });

  itWith('gpg')('is good where the key was renewed since, pinned once or together with what it was before', async () => {
    gnupg.makeKey('renewed@example.org', { expires: 'seconds=3000' });
    const before = gnupg.publicKey('renewed@example.org');
    const message = gnupg.encrypt(content, { ...to, signer: 'renewed@example.org' });
    gnupg.renewKey('renewed@example.org', '2y');
    const after = gnupg.publicKey('renewed@example.org');
    const atMs = Date.now() + 3_600_000;
    expect((await read(message, { signers: [before], atMs })).problem?.kind).toBe('signer');
    for (const signers of [[after], [before, after], [after, before], [before + after]]) {
      const { problem, members } = await read(message, { signers, atMs });
      expect([problem, members[0]?.[1].equals(content)]).toEqual([undefined, true]);
    }
  });

  itWith('gpg')('with two literal packets is refused, wherever the second stands and whether or not it has to be signed', async () => {
    const { members } = await read(await withMoreLiterals());
    expect(members[0]![1].equals(content)).toBe(true);
    for (const isSignatureRequired of [true, false])
      for (const place of [0, 1, 2, 3]) {
        const { problem, members } = await read(await withMoreLiterals(place), { isSignatureRequired });
        expect([place, problem?.kind, members]).toEqual([place, 'integrity', []]);
      }
  });

  itWith('gpg')('with any byte changed is refused', async () => {
    for (const args of [[], ['--force-ocb'], ['--compress-algo', 'none']]) {
      const message = gnupg.encrypt(content.subarray(0, 300), { ...both, args });
      // Densely where the packets and keys are named, then here and there: each takes a tenth of a second.
      for (let at = 0; at < message.length; at += at < 60 ? 3 : 23) {
        const changed = Buffer.from(message);
        changed[at]! ^= 1 << (at % 8);
        const { problem, members } = await unpackBytes(['pgp'], changed, { pgpKeys: keys, pgpStuckMs: 2_000 });
        // The id of the recipient's key only says which key to try; of a packet's length several writings are the same.
        if (problem === undefined) expect(members[0]![1].equals(content.subarray(0, 300))).toBe(true);
      }
    }
  });

  itWith('gpg')('over which the library would wait for ever is refused all the same', async () => {
    // About one in fifty of these changes makes it do that; which ones is chance.
    for (let round = 0; round < 6; round++) {
      const message = gnupg.encrypt(content.subarray(0, 300), { ...both, args: ['--compress-algo', 'none'] });
      for (let at = 98; at < 130; at++) {
        const changed = Buffer.from(message);
        changed[at]! ^= 1 << (at % 8);
        const { problem, members } = await unpackBytes(['pgp'], changed, { pgpKeys: keys, pgpStuckMs: 500 });
        if (problem === undefined) expect(members[0]![1].equals(content.subarray(0, 300))).toBe(true);
      }
    }
  });

  itWith('gpg')('need not be signed where the source says so, but a bad signature is refused all the same', async () => {
    const optional = { isSignatureRequired: false };
    expect((await read(gnupg.encrypt(content, to), optional)).problem).toBeUndefined();
    expect((await read(gnupg.encrypt(content, { ...both, args: ['--digest-algo', 'SHA1'] }), optional)).problem?.kind).toBe('weak');
  });

  itWith('gpg')('is not at fault where the keys are', async () => {
    const message = gnupg.encrypt(content, both);
    for (const more of [{ privateKey: 'none' }, { passphrase: 'wrong' }, { passphrase: null }, { signers: ['none'] }])
      await expect(read(message, more)).rejects.toMatchObject({ code: 'E_PGP_READING_KEYS', retryable: true });
  });
});
