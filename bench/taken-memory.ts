/** Memory that a virtual machine has: pages that it was not given yet, or that it gave back, cost microseconds each when they are used. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';

const pieceBytes = 4 * 1024 * 1024;

/** Uses so much, as a file that is never on the disk, and frees it. */
export function takeMemory(path: string, bytes: number): void {
  const piece = Buffer.alloc(pieceBytes, 1);
  const file = openSync(path, 'w');
  for (let at = 0; at < bytes; at += pieceBytes) writeSync(file, piece);
  closeSync(file);
  rmSync(path);
}
