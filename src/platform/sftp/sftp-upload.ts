/**
 * A new file at an SFTP server, written front to back with many requests under way. Bytes are copied before they are sent, so
 * that a piece may be reused once `append` has resolved. The server has all of it when `finish` has resolved.
 */
import { type Field, sent } from './sftp-packets.ts';

export interface SftpUpload {
  append(bytes: Uint8Array): Promise<void>;
  /** Waits for every answer, makes the bytes durable where the server can, and closes the file. True: they are durable. */
  finish(): Promise<boolean>;
  /** Ends it as it is. Never fails. */
  abandon(): Promise<void>;
}

export interface UploadRequests {
  /** Fails with an SftpFailure unless the server answers that it is done. */
  done(type: number, fields: readonly Field[]): Promise<void>;
  readonly handle: Buffer;
  readonly writeBytesMax: number;
  readonly canSync: boolean;
}

const bytesUnderWayMax = 4 * 1024 * 1024;

export function createUpload({ done, handle, writeBytesMax, canSync }: UploadRequests): SftpUpload {
  const underWay = new Set<Promise<void>>();
  const writesMax = Math.ceil(bytesUnderWayMax / writeBytesMax);
  let position = 0n;
  let failure: unknown;

  const assertSound = (): void => {
    if (failure !== undefined) throw failure;
  };
  const write = (bytes: Uint8Array): void => {
    const answered: Promise<void> = done(sent.write, [handle, position, bytes])
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => underWay.delete(answered));
    underWay.add(answered);
    position += BigInt(bytes.length);
  };
  return {
    async append(bytes) {
      for (let at = 0; at < bytes.length; at += writeBytesMax) {
        while (underWay.size >= writesMax) await Promise.race(underWay);
        assertSound();
        write(bytes.subarray(at, at + writeBytesMax));
      }
    },
    async finish() {
      await Promise.all(underWay);
      assertSound();
      if (canSync) await done(sent.extended, [Buffer.from(syncExtension), handle]);
      await done(sent.close, [handle]);
      return canSync;
    },
    async abandon() {
      await Promise.all(underWay);
      await done(sent.close, [handle]).catch(() => {});
    },
  };
}

export const syncExtension = 'fsync@openssh.com';
