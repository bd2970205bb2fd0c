import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { readAuditorKey, readAuditorPrivateKey } from './auditor-key.ts';
import { openSealedExport, sealExport, sealedExportMagic } from './sealed-export.ts';

function makeAuditor() {
  const pair = generateKeyPairSync('x25519');
  const publicPem = pair.publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const privatePem = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  return { publicPem, privatePem, to: readAuditorKey(publicPem), opener: readAuditorPrivateKey(privatePem) };
}

const auditor = makeAuditor();
const seal = (pieces: readonly Uint8Array[], to = auditor.to) => Buffer.concat([...sealExport(pieces, to, systemPorts.rng)]);

async function open(sealed: Uint8Array, opener = auditor.opener, pieceBytes = 50_000): Promise<Buffer> {
  async function* pieces() {
    for (let at = 0; at < sealed.length; at += pieceBytes) yield sealed.subarray(at, at + pieceBytes);
  }
  const opened: Uint8Array[] = [];
  for await (const piece of openSealedExport(pieces(), opener)) opened.push(piece);
  return Buffer.concat(opened);
}

const refused = { code: 'E_EXPORT_SEALED' };
/** Of three frames. */
const content = Buffer.alloc(600_000, 'the content of a bank file ');

describe('a sealed export', () => {
  test('is opened by the auditor it was sealed for, whatever pieces it came in and goes out in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300_000 }), { maxLength: 5 }),
        fc.constantFrom(1_000, 65_537, 1_000_000),
        async (pieces, pieceBytes) => {
          expect((await open(seal(pieces), auditor.opener, pieceBytes)).equals(Buffer.concat(pieces))).toBe(true);
        },
      ),
      { numRuns: 25, seed: 1 },
    );
    for (const length of [0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 2 * 256 * 1024])
      expect((await open(seal([Buffer.alloc(length, 7)]))).length).toBe(length);
  });

  test('shows nothing of its content, and is another one each time', () => {
    const [one, two] = [seal([content]), seal([content])];
    expect(one.includes('bank file')).toBe(false);
    expect(one.subarray(0, sealedExportMagic.length).toString()).toBe(sealedExportMagic);
    expect(one.subarray(200).equals(two.subarray(200))).toBe(false);
  });

  test('does not open with another key, and says for which it is', async () => {
    await expect(open(seal([content]), makeAuditor().opener)).rejects.toMatchObject(refused);
    await expect(open(seal([content]), makeAuditor().opener)).rejects.toThrow(auditor.to.kid);
  });

  test('sealed for another and readdressed does not open', async () => {
    const other = makeAuditor();
    const readdressed = Buffer.from(seal([content], other.to).toString('latin1').replace(other.to.kid, auditor.to.kid), 'latin1');
    await expect(open(readdressed)).rejects.toMatchObject(refused);
  });

  test('of which any bit was changed does not open', async () => {
    const sealed = seal([Buffer.from('short')]);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1 << (at % 8);
      await expect(open(changed), `byte ${at}`).rejects.toMatchObject(refused);
    }
  });

  test('that was cut anywhere, or has something behind its end, does not open', async () => {
    const sealed = seal([content]);
    const frame = 4 + 256 * 1024 + 16;
    const head = sealed.length - (2 * frame + 4 + (content.length - 2 * 256 * 1024) + 16);
    for (const end of [0, 10, head - 1, head, head + 3, head + frame, head + 2 * frame, sealed.length - 1])
      await expect(open(sealed.subarray(0, end)), `cut at ${end}`).rejects.toMatchObject(refused);
    await expect(open(Buffer.concat([sealed, Buffer.from('x')]))).rejects.toMatchObject(refused);
    const [first, second, rest] = [
      sealed.subarray(head, head + frame),
      sealed.subarray(head + frame, head + 2 * frame),
      sealed.subarray(head + 2 * frame),
    ];
    await expect(open(Buffer.concat([sealed.subarray(0, head), second, first, rest]))).rejects.toMatchObject(refused);
    await expect(open(Buffer.concat([sealed.subarray(0, head), first, rest]))).rejects.toMatchObject(refused);
  });

  test('with a frame that claims to be huge is refused before it is read', async () => {
    const sealed = seal([]);
    const head = sealed.length - 20;
    const huge = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
    await expect(open(Buffer.concat([sealed.subarray(0, head), huge, Buffer.alloc(1_000)]))).rejects.toThrow('malformed');
  });
});

describe("an auditor's key", () => {
  test('is X25519, public where it is sealed for, and never shown', () => {
    const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }) as string;
    for (const pem of [ed25519, auditor.privatePem, 'nothing', ''])
      expect(() => readAuditorKey(pem)).toThrow(expect.objectContaining({ code: 'E_AUDITOR_KEY' }));
    expect(() => readAuditorPrivateKey(auditor.publicPem)).toThrow(expect.objectContaining({ code: 'E_AUDITOR_KEY' }));
    expect(readAuditorPrivateKey(auditor.privatePem).key.kid).toBe(auditor.to.kid);
  });
});
