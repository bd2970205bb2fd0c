/** The extra fields of zip headers (APPNOTE 4.5) that change what the header means; others are passed over. */
import { UnpackError } from './unpack-problem.ts';

export interface ExtraFields {
  /** Sizes and places of 64 bits (0x0001). */
  readonly zip64: Buffer | null;
  /** The name in UTF-8 (0x7075), without what comes before it in the field. */
  readonly unicodePath: Buffer | null;
}

/** In a local header both sizes are there. */
export const zip64Extra = { localBytes: 16 } as const;

const zip64Id = 0x0001;
const unicodePathId = 0x7075;
/** Version and CRC-32 of the other name. */
const unicodePathHeadBytes = 5;

/** Fails with an UnpackError where fields do not fill their room exactly, or one of these comes twice. */
export function readExtraFields(bytes: Buffer): ExtraFields {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 > bytes.length ? Number.POSITIVE_INFINITY : at + 4 + bytes.readUInt16LE(at + 2);
    if (end > bytes.length) throw malformed();
    const id = bytes.readUInt16LE(at);
    if (found.has(id) && (id === zip64Id || id === unicodePathId)) throw malformed();
    found.set(id, bytes.subarray(at + 4, end));
    at = end;
  }
  const unicodePath = found.get(unicodePathId);
  if (unicodePath !== undefined && unicodePath.length < unicodePathHeadBytes) throw malformed();
  return { zip64: found.get(zip64Id) ?? null, unicodePath: unicodePath?.subarray(unicodePathHeadBytes) ?? null };
}

function malformed(): UnpackError {
  return new UnpackError('packing', 'the archive is damaged or not sound: the extra fields of an entry are malformed');
}
