import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { writeBigFile } from './big-file.ts';

let folder: string;
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), 'headgate-big-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  folder = made;
});

const never = new AbortController().signal;
const half = 512 * 1024;

/** Each in the same buffer, as sealed segments are read. */
function* reusedPieces(lengths: readonly number[], all: Buffer[] = []): Generator<Uint8Array> {
  const buffer = Buffer.alloc(Math.max(...lengths));
  for (const [index, length] of lengths.entries()) {
    const piece = buffer.subarray(0, length).fill(index + 1);
    all.push(Buffer.from(piece));
    yield piece;
  }
}

it.each([
  ['no bytes', [0]],
  ['pieces around the size of a buffer', [half - 1, half, half + 1, 1, 3 * half + 7, 0, 5]],
  ['more than what goes to the disk at once', Array.from({ length: 40 }, (_, at) => 2 * half + at)],
])('a file has the bytes of its pieces, though each is made where the last one was: %s', async (_, lengths) => {
  const all: Buffer[] = [];
  await writeBigFile(join(folder, 'file'), reusedPieces(lengths, all), { mode: 0o640, signal: never });
  expect(readFileSync(join(folder, 'file')).equals(Buffer.concat(all))).toBe(true);
});

it('a piece that can not be made ends the file with its reason', async () => {
  function* failing(): Generator<Uint8Array> {
    yield* reusedPieces([2 * half, half]);
    throw new Error('the segment can not be read');
  }
  await expect(writeBigFile(join(folder, 'file'), failing(), { mode: 0o640, signal: never })).rejects.toThrow(
    'the segment can not be read',
  );
  expect(openFiles()).not.toContain(join(folder, 'file'));
});

it.each([1, 3, 5])('a write that fails, with %i pieces behind it, ends the file with its reason', async (behind) => {
  const program = `
    import { writeBigFile } from ${JSON.stringify(import.meta.resolve('./big-file.ts'))};
    const pieces = Array.from({ length: 2 + ${behind} }, () => Buffer.alloc(${half}));
    await writeBigFile(process.argv[1], pieces, { mode: 0o640, signal: new AbortController().signal }).then(
      () => console.log('written'),
      (error) => console.log(error.code),
    );`;
  // No file may be longer than a megabyte, in blocks of 512 bytes, and who tries is told and not killed.
  const limited = 'trap "" XFSZ; ulimit -f 2048; exec "$@"';
  const argv = ['-c', limited, 'sh', process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)('sh', [...argv, join(folder, 'file')]);
  expect(stdout).toBe('EFBIG\n');
});

it('it ends at the signal, and leaves no file open', async () => {
  const stop = new AbortController();
  function* stopping(): Generator<Uint8Array> {
    for (const piece of reusedPieces(Array.from({ length: 8 }, () => 2 * half))) {
      yield piece;
      stop.abort(new Error('stopped'));
    }
  }
  await expect(writeBigFile(join(folder, 'file'), stopping(), { mode: 0o640, signal: stop.signal })).rejects.toThrow('stopped');
  expect(openFiles()).not.toContain(join(folder, 'file'));
});

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}
