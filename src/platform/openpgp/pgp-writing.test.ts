import { decrypt, generateKey, readMessage, readPrivateKey } from 'openpgp';
import { describe, expect, it } from 'vitest';
import { systemSleep } from '../base/system-ports.ts';
import { createPgpWriter, readWithSessionKey } from './pgp-writing.ts';

/** A message that was changed in one bit, over which the library waits for itself for ever when it comes in small pieces. */
const endless = [
  'wV4DH3cmqdKUfwASAQdAUnQzIi0Vum0uhcr1DxJ/arZsVvF4VMy3D4LXglUYbGowlCUNChBJHTZlbeDd2ObGnrqerR0fyjBFo+gOnhc9HN9j+GjPZtdzNmdc',
  'mUr3Ld/O0ukBUvMBjZCf7hhlKfhB84UeYEz9cW8Ig+9Bm6q90wlhY1TAPW8mwvvTUwr8oP+PAnXVg40QFUATSzoafN7kADx1t+U1enoNqS1p0X45Y3weLuJ0',
  'oiIrj00OvWUGElSU/Pf9+Vy6b/DYoC6pJ5dCORz9cV79fCUSs91WM+NgQ9v58SlnaKi2tMLlXZl7473eaiveuoOYd4zzOyoK7Y+h62Vr1eFDguUhxlm8A0aV',
  'QZYTEkkRlYuISVnzrYBOeUfqTyeSmwo32W598SX+ZPiUjcnu78BLeKeZotFCZHXIyzLpdw3K0hFeSEIZLh4jVw9eLRgvG6SxF5C0rpgPLDJrab9FtrLspQb6',
  'TqfFZ5bqXZ5VljX+8ZvLjlgCWshK7bN2kBrLSnR4x/+vUv6S6BXYsAV7sroP9sRoD82Awo9Iui94Wg40TZxNhM8fxP0Hp9+beufag5/bK8y37UrM9sMDwf3f',
  'fRjN0UiCLdscF3SUp9ebDVMtwY/IhjU3sLp6YgTcy/4IOCdJ8jX5YTuc1y16de4TS6hpQxnDjULnCOW85Sez0CgEFpxZhn2j0r58FOfXtYFwgtj02fJ1Fow2',
  '3KmsSROaqVtUIIb8TKtWAWjVj4lMPxpRRnvluoUJLqgsUS7F99AIU6cONgwEai6A3W4sVkkdZL99NkkgbKEconFOsxsqDsAMz9hng5IZ0Abprxqh5dedAiXz',
  'n2DsMYBqF2AUEP+eaRfvdDy6/T7IiqdpZ9hymsxHolMiRJ9muEjLA9GXJGRZDNiitjNeA6/VMnzJ4nVmHfIUCx8oczDa8xwXWdRz2CKbT7E0NzmoFSGMTzxx',
  'oz9ry0Lf1TKnNmvx1Gz1+J7HCAApag7VzcFULzQyQrMjMXeGMDzFSCddSZ1rj2W1TpKAav42svnNWfd2pUnTqG1mn2vtvi8EM1YbrhFwkoVIxbvYHOwUkrfx',
  'MVTrYao6',
].join('');
const endlessKey = 'rC/QC3aB+QmKgNdzLbxsjIxxVjeQQrgr6+tI15Gy4Rs=';

const content = Buffer.from('{"id":"a"}\n');

/** What was read of the message, in pieces of so many bytes, and whether it was let go. */
async function read(message: Uint8Array, key: Uint8Array, pieceBytes: number) {
  let isLetGo = false;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < message.length; at += pieceBytes) yield message.subarray(at, at + pieceBytes);
    } finally {
      isLetGo = true;
    }
  }
  const parts: Uint8Array[] = [];
  const reading = (async () => {
    for await (const part of readWithSessionKey(pieces(), key, { sleep: systemSleep, stuckMs: 100 })) parts.push(part);
    return Buffer.concat(parts).toString();
  })();
  const text = await reading.catch(() => null);
  return { text, isLetGo };
}

describe('a message of ours', () => {
  it.each([7, 1_000_000])(
    'is read with its session key; what is damaged or of another fails, and all are let go (pieces of %i bytes)',
    async (pieceBytes) => {
      const { publicKey } = await generateKey({ userIDs: [{ name: 'clearing' }], format: 'armored' });
      const key = Buffer.alloc(32, 7);
      const writer = await createPgpWriter({ recipients: [publicKey], signer: null });
      const parts: Uint8Array[] = [];
      for await (const part of writer.encrypt([content], key)) parts.push(part);
      const message = Buffer.concat(parts);
      expect(await read(message, key, pieceBytes)).toEqual({ text: content.toString(), isLetGo: true });
      expect(await read(message, Buffer.alloc(32, 8), pieceBytes)).toEqual({ text: null, isLetGo: true });
      const changed = Buffer.from(message.map((byte, at) => (at === message.length - 40 ? byte ^ 1 : byte)));
      for (const other of [message.subarray(0, -30), message.subarray(0, 20), changed, Buffer.from('text'), Buffer.alloc(0)])
        expect(await read(other, key, pieceBytes)).toEqual({ text: null, isLetGo: true });
    },
  );

  it('is for every recipient whose key stands in the text of a reference, also in a block behind the first', async () => {
    const [first, second] = [await generateKey({ userIDs: [{ name: 'clearing' }] }), await generateKey({ userIDs: [{ name: 'archive' }] })];
    const writer = await createPgpWriter({ recipients: [`${first.publicKey}\n${second.publicKey}`], signer: null });
    const parts: Uint8Array[] = [];
    for await (const part of writer.encrypt([content], Buffer.alloc(32, 7))) parts.push(part);
    for (const { privateKey } of [first, second]) {
      const message = await readMessage({ binaryMessage: Buffer.concat(parts) });
      const decryptionKeys = await readPrivateKey({ armoredKey: privateKey });
      const { data } = await decrypt({ message, decryptionKeys, format: 'binary' });
      expect(Buffer.from(data).toString()).toBe(content.toString());
    }
  });

  it('over which the library waits for itself is left after a while', async () => {
    expect(await read(Buffer.from(endless, 'base64'), Buffer.from(endlessKey, 'base64'), 7)).toEqual({ text: null, isLetGo: true });
  });
});
