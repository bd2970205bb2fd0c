import { readdirSync, readlinkSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryStore } from '../../../../test/support/temporary-store.ts';
import { readRange, SegmentReaders } from './segment-readers.ts';

/** Of files of the store; on Linux. */
function handles(root: string): number {
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith(root);
    } catch {
      return false;
    }
  }).length;
}

test('any number of segments are read with few file handles, again and again', () => {
  const { root, store, tenantId, ids } = temporaryStore();
  const objects = Array.from({ length: 150 }, (_, index) => {
    const writer = store.create({ tenantId, objectId: ids.next(), kind: 'output' });
    writer.write(Buffer.from(`segment ${index}\n`));
    return writer.commit();
  });
  const readers = new SegmentReaders(store, tenantId);
  const others = new SegmentReaders(store, tenantId);
  onTestFinished(() => others.close());
  const opened = objects.map((object) => readers.open(object));
  expect(others.open(objects[3]!)).toBe(opened[3]);
  for (const turn of [1, 2])
    for (const [index, reader] of opened.entries()) {
      expect([turn, readRange(reader, 0, reader.size).toString()]).toEqual([turn, `segment ${index}\n`]);
      expect(handles(root)).toBeLessThanOrEqual(64);
    }
  expect(handles(root)).toBeGreaterThan(1);
  readers.close();
  expect(() => readRange(opened[0]!, 0, 1)).toThrow('this reader was closed');
  expect(readRange(others.open(objects[3]!), 0, 7).toString()).toBe('segment');
  expect(handles(root)).toBe(1);
  others.close();
  expect(handles(root)).toBe(0);
});
