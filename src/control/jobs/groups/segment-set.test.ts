import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { temporaryStore } from '../../../../test/support/temporary-store.ts';
import { packMemberBytesMax } from '../../../platform/storage/packs.ts';
import { SegmentSet } from './segment-set.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Lengths of parts, each written in pieces. */
const big = packMemberBytesMax + 1;
test.each([
  ['all in one pack', [10, 0, 20]],
  ['the first alone in an object', [3 * big, 0]],
  ['an object from the first part on', [big, 7, big, 0, 1]],
  ['an object from a later part on', [7, 0, big, 7]],
  ['a first part without bytes', [0, 3, big]],
])('each part of a segment has the hash of its own bytes: %s', (_, lengths) => {
  const { store, tenantId, ids } = temporaryStore();
  const set = new SegmentSet({ store, tenantId, ids, label: 'parts' });
  const content = Buffer.alloc(
    lengths.reduce((sum, length) => sum + length, 0),
    'parts of a segment',
  );
  let start = 0;
  for (const length of lengths) {
    const part = set.openPart('output', 0);
    const end = start + length;
    for (let at = start; at < end; at += 100_000) part.write(content.subarray(at, Math.min(end, at + 100_000)));
    const ended = part.end();
    if (length === 0) expect(ended).toBeNull();
    else expect(ended).toMatchObject({ start, end, sha256: sha256(content.subarray(start, end)) });
    start = end;
  }
  const [segment] = set.commit();
  expect(segment!.object).toMatchObject({ bytes: content.length, sha256: sha256(content) });
});
