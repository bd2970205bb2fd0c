/** Writes a new small file durably with as few turns of the event loop as there are calls to the file system. */
import { close, constants, fsync, open, write } from 'node:fs';

const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Resolves when the bytes are durable; the name is only once its folder was fsynced. Rejects with the system's error. */
export function writeSmallFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  return new Promise((resolve, reject) => {
    open(path, flags, mode, (failed, file) => {
      if (failed) return reject(failed);
      const end = (error: Error | null) =>
        close(file, (notClosed) => {
          if (error ?? notClosed) reject(error ?? notClosed);
          else resolve();
        });
      const writeFrom = (done: number): void => {
        if (done === bytes.length) fsync(file, end);
        else write(file, bytes, done, bytes.length - done, null, (error, count) => (error ? end(error) : writeFrom(done + count)));
      };
      writeFrom(0);
    });
  });
}
