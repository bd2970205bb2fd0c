/** Changes bytes as transmissions, editors and attackers do: the same for the same random numbers. */
export interface Random {
  /** 0 up to and without `below`. */
  integer(below: number): number;
}

const telling = Buffer.from('\0\t\n\r "\'&<>/:,.-+|[]{}09AZaz\u00e9\u20ac\ufffd');
const changesMax = 6;

export function changed(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let left = random.integer(changesMax + 1); left > 0; left--) result = once(result, random, others);
  return result;
}

function once(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  const at = random.integer(bytes.length + 1);
  const length = random.integer(random.integer(4) === 0 ? 200 : 6) + 1;
  const [head, cut, rest] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)];
  const line = lineAt(bytes, at);
  switch (random.integer(11)) {
    case 0:
      return Buffer.concat([head, rest]);
    case 1:
      return Buffer.concat([head, anyBytes(random, length), rest]);
    case 2:
      return Buffer.concat([head, anyBytes(random, length), cut, rest]);
    case 3:
      return Buffer.concat([head, cut, cut, rest]);
    case 4:
      return Buffer.concat([bytes.subarray(0, line.start), bytes.subarray(line.end)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, line.end), bytes.subarray(line.start)]);
    case 6:
      return Buffer.from(head);
    case 7:
      return Buffer.concat([head, digit(random), bytes.subarray(at + 1)]);
    case 8: {
      const other = others[random.integer(others.length)]!;
      const from = random.integer(other.length);
      return Buffer.concat([head, other.subarray(from, from + length * 4), rest]);
    }
    case 9: {
      const to = random.integer(bytes.length + 1);
      const without = Buffer.concat([head, rest]);
      return Buffer.concat([without.subarray(0, to), cut, without.subarray(to)]);
    }
    default:
      return Buffer.concat([head, repeated(cut, random), rest]);
  }
}

function lineAt(bytes: Buffer, at: number): { start: number; end: number } {
  const start = bytes.lastIndexOf(0x0a, Math.max(0, at - 1)) + 1;
  const end = bytes.indexOf(0x0a, start);
  return { start, end: end < 0 ? bytes.length : end + 1 };
}

function anyBytes(random: Random, length: number): Buffer {
  return Buffer.from(
    Array.from({ length }, () => (random.integer(3) === 0 ? random.integer(256) : telling[random.integer(telling.length)]!)),
  );
}

function digit(random: Random): Buffer {
  return Buffer.from(String(random.integer(10)));
}

/** Long enough to meet the bounds of texts, lines and nesting. */
function repeated(piece: Buffer, random: Random): Buffer {
  return Buffer.concat(Array<Buffer>(random.integer(random.integer(20) === 0 ? 3_000 : 20) + 1).fill(piece));
}
