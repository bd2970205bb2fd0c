import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jsonLinesFormat } from '../../pipeline/formats/json-lines/json-lines-format.ts';
import { hashApart } from './hash-apart.ts';
import { FileSource } from './plain-files.ts';
import { splitFile } from './split-file.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'headgate-hash-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function sourceOf(bytes: Buffer): FileSource {
  const path = join(folder, 'file');
  writeFileSync(path, bytes);
  return new FileSource(path);
}

describe('a file that is hashed by a thread of its own', () => {
  it.each([0, 1, 1024 * 1024, 3 * 1024 * 1024 + 7])('has the hash of its %d bytes', async (length) => {
    const bytes = randomBytes(length);
    const source = sourceOf(bytes);
    const hash = hashApart(source, 0)!;
    expect(await hash.digest).toBe(createHash('sha256').update(bytes).digest('hex'));
    await hash.stop();
    source.close();
  });

  it('is split meanwhile, and told with that hash', async () => {
    const bytes = Buffer.from('{"a":1}\n'.repeat(50_000));
    const source = sourceOf(bytes);
    const format = { type: 'json-lines', discriminator: null, unknownKeys: 'ignore', skipBlankLines: true } as const;
    const plan = { format, records: [] } as never;
    const rules = {
      format: jsonLinesFormat as never,
      plan,
      sizes: { chunkBytes: 65_536, firstChunkBytes: 65_536 },
      inFront: null,
      onRead() {},
    };
    const apart = hashApart(source, 0)!;
    const [ours, here] = [
      await splitFile(source, { ...rules, hash: apart }, async () => {}),
      await splitFile(source, { ...rules, hash: null }, async () => {}),
    ];
    expect(ours).toEqual(here);
    await apart.stop();
    source.close();
  });

  it('is hashed by nobody else where it is small', () => {
    const source = sourceOf(Buffer.from('small'));
    expect(hashApart(source)).toBeNull();
    source.close();
  });

  it('of which nobody wants to know any more may be left', async () => {
    const source = sourceOf(randomBytes(8 * 1024 * 1024));
    const hash = hashApart(source, 0)!;
    await hash.stop();
    await expect(hash.digest).rejects.toThrow('has ended');
    source.close();
  });
});
