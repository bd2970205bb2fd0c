import { compatibilityPartitioner } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partitionHash } from './kafka-partition.ts';

describe('the hash of a key', () => {
  // Of UtilsTest.java of Apache Kafka.
  it.each([
    ['21', -973932308],
    ['abc', 479470107],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ])('of %s is that of the Java client', (key, hash) => {
    expect(partitionHash(Buffer.from(key))).toBe(hash & 0x7fffffff);
  });

  it("is that of the library's own partitioner for any bytes", () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(bytes, (key) => partitionHash(Buffer.from(key)) === compatibilityPartitioner(undefined as never, Buffer.from(key))),
    );
  });

  it('of a key as large as a message is known at once', () => {
    expect(partitionHash(Buffer.alloc(8 * 1024 * 1024, 'key'))).toBeLessThan(2 ** 31);
  });
});
