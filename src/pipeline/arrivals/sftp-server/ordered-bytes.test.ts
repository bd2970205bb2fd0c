import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAheadRoom, OrderedBytes } from './ordered-bytes.ts';

const mebibyte = 1024 * 1024;
const room = () => createAheadRoom(64 * mebibyte);

async function collect(body: OrderedBytes): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('bytes that are written at their places', () => {
  it('come out in order, whatever the order of the writes within the window, and leave its room', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }),
        fc.infiniteStream(fc.nat()),
        async (content, sizes, picks) => {
          const pieces: { offset: number; bytes: Uint8Array }[] = [];
          for (let at = 0, index = 0; at < content.length; index++) {
            const size = sizes[index % sizes.length]!;
            pieces.push({ offset: at, bytes: content.subarray(at, at + size) });
            at += size;
          }
          const shared = createAheadRoom(content.length);
          const body = new OrderedBytes(shared);
          const read = collect(body);
          const written: Promise<void>[] = [];
          for (const pick of picks) {
            if (pieces.length === 0) break;
            const [piece] = pieces.splice(pick % pieces.length, 1);
            written.push(body.write(piece!.offset, piece!.bytes));
          }
          body.end();
          expect(await read).toEqual(Buffer.from(content));
          await Promise.all(written);
          expect(shared.take(content.length)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are answered when they were asked for, so that a sender waits for who takes them', async () => {
    const body = new OrderedBytes(room());
    let answered = 0;
    const written = [body.write(0, Buffer.from('a')), body.write(1, Buffer.from('b'))].map((each) => each.then(() => answered++));
    const pieces = body[Symbol.asyncIterator]();
    await pieces.next();
    expect(answered).toBe(0);
    await pieces.next();
    expect(answered).toBe(1);
    body.end();
    await pieces.next();
    await Promise.all(written);
    expect(answered).toBe(2);
  });

  it.each([
    ['that begin in the middle', 'E_RESUME', [[100 * mebibyte, 'x']]],
    [
      'that are written twice',
      'E_UPLOAD_ORDER',
      [
        [0, 'abc'],
        [1, 'x'],
      ],
    ],
    [
      'that are written twice, ahead',
      'E_UPLOAD_ORDER',
      [
        [0, 'abc'],
        [5, 'x'],
        [5, 'y'],
      ],
    ],
    [
      'that meet others ahead',
      'E_UPLOAD_ORDER',
      [
        [3, 'abc'],
        [0, 'abcde'],
      ],
    ],
    [
      'that are too far ahead',
      'E_UPLOAD_ORDER',
      [
        [0, 'a'],
        [4 * mebibyte + 1, 'x'],
      ],
    ],
  ] as const)('%s fail as a whole with %s', async (_name, code, writes) => {
    const shared = createAheadRoom(1_000);
    const body = new OrderedBytes(shared);
    const read = collect(body);
    read.catch(() => {});
    const written = writes.map(([offset, text]) => body.write(offset, Buffer.from(text)));
    for (const each of written) each.catch(() => {});
    await expect(read).rejects.toMatchObject({ code });
    await expect(body.write(3, Buffer.from('x'))).rejects.toMatchObject({ code });
    expect(shared.take(1_000)).toBe(true);
  });

  it('with a hole when nothing more comes fail with E_RESUME', async () => {
    const body = new OrderedBytes(room());
    const read = collect(body);
    read.catch(() => {});
    const first = body.write(0, Buffer.from('abc'));
    await body.write(4, Buffer.from('e'));
    await first.catch(() => {});
    body.end();
    await expect(read).rejects.toMatchObject({ code: 'E_RESUME' });
  });

  it('that are ahead have room that all files share', async () => {
    const shared = createAheadRoom(2);
    const [one, two] = [new OrderedBytes(shared), new OrderedBytes(shared)];
    await one.write(1, Buffer.from('bc'));
    await expect(two.write(1, Buffer.from('b'))).rejects.toMatchObject({ code: 'E_SFTP_BUSY' });
    one.fail(new Error('gone'));
    const three = new OrderedBytes(shared);
    await three.write(1, Buffer.from('bc'));
  });

  it('in pieces of one byte ahead are bounded in number', async () => {
    const body = new OrderedBytes(room());
    const pieces = Array.from({ length: 256 }, (_, index) => body.write(1 + 2 * index, Buffer.from('x')));
    await Promise.all(pieces);
    await expect(body.write(1_000, Buffer.from('x'))).rejects.toMatchObject({ code: 'E_RESUME' });
  });
});
