/**
 * The hash by which Java's producer chooses a key's partition: murmur2 over 32 bits, as `Utils.murmur2` of Apache Kafka. All who
 * write to a topic have to choose alike. It takes no longer than to read the key once.
 */

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** Not negative: what is left of it by the number of partitions is the partition. */
export function partitionHash(key: Buffer): number {
  const { length } = key;
  const end = length - (length % 4);
  let hash = seed ^ length;
  for (let at = 0; at < end; at += 4) {
    const mixed = Math.imul(key.readInt32LE(at), multiplier);
    hash = Math.imul(hash, multiplier) ^ Math.imul(mixed ^ (mixed >>> 24), multiplier);
  }
  if (end < length) {
    for (let at = end; at < length; at++) hash ^= key[at]! << (8 * (at - end));
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return (hash ^ (hash >>> 15)) & 0x7fffffff;
}
