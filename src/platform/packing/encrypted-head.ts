/** How messages begin that are encrypted to a key (RFC 9580, 4.2 and 6.2): no text in UTF-8 does, but for an armor. */
const armor = '-----BEGIN PGP MESSAGE-----';
const sessionKeyTag = 1;

export function isEncrypted(head: Uint8Array): boolean {
  const first = head[0] ?? 0;
  if (first >= 0xc0) return (first & 0x3f) === sessionKeyTag;
  if (first >= 0x80) return ((first >> 2) & 0xf) === sessionKeyTag;
  return Buffer.from(head.subarray(0, armor.length)).toString('latin1') === armor;
}
