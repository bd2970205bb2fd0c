/** Durable steps with as few turns of the event loop as there are calls to the file system. All reject with the system's error. */
import { close, constants, fsync, open, write } from 'node:fs';

/** Written through: each write returns when its bytes and the file's size are on the disk. */
const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_SYNC;

/** Resolves when the bytes of a new file are durable; the name is only once its folder was fsynced. */
export function writeSmallFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  return new Promise((resolve, reject) => {
    open(path, flags, mode, (failed, file) => {
      if (failed) return reject(failed);
      const end = ending(file, resolve, reject);
      const writeFrom = (done: number): void => {
        if (done === bytes.length) end(null);
        else write(file, bytes, done, bytes.length - done, null, (error, count) => (error ? end(error) : writeFrom(done + count)));
      };
      if (bytes.length === 0) fsync(file, end);
      else writeFrom(0);
    });
  });
}

export function fsyncFolder(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    open(path, 'r', (failed, folder) => {
      if (failed) reject(failed);
      else fsync(folder, ending(folder, resolve, reject));
    });
  });
}

function ending(file: number, resolve: () => void, reject: (error: Error) => void): (error: Error | null) => void {
  return (error) =>
    close(file, (notClosed) => {
      if (error ?? notClosed) reject((error ?? notClosed)!);
      else resolve();
    });
}
