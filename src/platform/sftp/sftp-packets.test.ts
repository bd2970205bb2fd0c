import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPacketCutter, PacketReader, packetOf, received } from './sftp-packets.ts';

const attributes = (...fields: (number | bigint)[]) => new PacketReader(packetOf(received.attributes, 1, fields), 9).attributes();

describe('packets', () => {
  it('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (fields, pieceBytes) => {
        const packets = fields.map((field, index) => packetOf(received.data, index, [field]));
        const stream = Buffer.concat(packets);
        const cut: Buffer[] = [];
        const push = createPacketCutter((packet) => cut.push(packet));
        for (let at = 0; at < stream.length; at += pieceBytes) push(stream.subarray(at, at + pieceBytes));
        expect(cut.map((packet) => packet.toString('hex'))).toEqual(packets.map((packet) => packet.toString('hex', 4)));
      }),
    );
  });

  it.each([[0], [320 * 1024 + 1], [0xffffffff]])('of %i bytes are refused before room is made for them', (bytes) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes);
    expect(() => createPacketCutter(() => {})(length)).toThrow('empty or too long');
  });

  it('that end within a field are refused', () => {
    const whole = packetOf(received.names, 1, [1, Buffer.from('a'), Buffer.from(''), 5, 7n, 0o100644]);
    for (let end = 9; end < whole.length; end++) {
      const reader = new PacketReader(whole.subarray(0, end), 9);
      expect(() => {
        reader.number();
        reader.bytes();
        reader.bytes();
        reader.attributes();
      }).toThrow('cut short');
    }
  });

  it('tell the kind, size and time of a file, skip what is not asked for, and say when something is missing', () => {
    expect(attributes(0xf, 7n, 1, 2, 0o100644, 3, 4)).toEqual({ kind: 'file', sizeBytes: 7, modifiedMs: 4_000, isPartial: false });
    expect(attributes(0xd, 2n ** 64n - 1n, 0o120777, 3, 4)).toMatchObject({ kind: 'other', sizeBytes: Number.MAX_SAFE_INTEGER });
    expect(attributes(4, 0o040700)).toMatchObject({ kind: 'folder', isPartial: true });
    const extended = packetOf(received.attributes, 1, [0x80000000, 1, Buffer.from('name'), Buffer.from('value')]);
    expect(new PacketReader(extended, 9).attributes()).toMatchObject({ kind: 'other', isPartial: true });
  });
});
