/** Files packed in each way that a flow may take. */
import { once } from 'node:events';
import { constants, createZstdCompress, gzipSync, type ZstdOptions, zstdCompressSync } from 'node:zlib';
import type { Packing } from '../../src/platform/packing/packings.ts';

export const pack: Readonly<Record<Packing, (bytes: string | Uint8Array) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes, { level: 9 }),
  zstd: (bytes) => zstdCompressSync(bytes),
};

/** As a stream, whose size the packer does not know. */
export async function zstdStream(bytes: string | Uint8Array, params: ZstdOptions['params']): Promise<Buffer> {
  const packer = createZstdCompress({ params });
  const parts: Buffer[] = [];
  packer.on('data', (part: Buffer) => parts.push(part));
  packer.end(bytes);
  await once(packer, 'end');
  return Buffer.concat(parts);
}

/** A zstd frame that says that a window of 2^`log` bytes is needed. */
export async function zstdOfWindow(bytes: string | Uint8Array, log: number): Promise<Buffer> {
  const packed = await zstdStream(bytes, { [constants.ZSTD_c_windowLog]: 23 });
  // The window descriptor of RFC 8878, 3.1.1.1.2.
  packed.writeUInt8((log - 10) << 3, 5);
  return packed;
}
