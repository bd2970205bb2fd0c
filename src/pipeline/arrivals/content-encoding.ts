/** What an upload may be packed in: one Content-Encoding that is taken, or what its source says; never what is only seen. */
import { HeadgateError } from '../../platform/base/errors.ts';
import { type Packing, packingNames } from '../../platform/packing/packings.ts';
import { arrivalErrors } from './arrival-errors.ts';

/** None or `identity`, or one `gzip` or `zstd`. Fails with E_CONTENT_ENCODING for anything else. */
export function packingOfEncoding(contentEncoding: string | undefined): Packing | null {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return null;
  if (encoding === 'x-gzip') return 'gzip';
  const packing = packingNames.find((name) => encoding === name);
  if (packing !== undefined) return packing;
  throw new HeadgateError(arrivalErrors.E_CONTENT_ENCODING, `of content encodings one is taken: ${packingNames.join(' or ')}`);
}

/** A packed body of which neither a header nor the flow says that it is. */
export function packedUnnamed(packing: Packing): HeadgateError {
  return new HeadgateError(
    arrivalErrors.E_CONTENT_ENCODING,
    `the file is packed with ${packing}, and the flow takes it as it is: send it with \`Content-Encoding: ${packing}\`, or have the source say \`unpack: ${packing}\``,
  );
}
