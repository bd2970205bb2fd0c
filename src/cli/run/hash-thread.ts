/** A thread that hashes a file of `headgate run` from its start to its end, beside the one that makes lines of it. */
import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { SharedFile } from './plain-files.ts';

const pieceBytes = 1024 * 1024;

const { descriptor, size } = workerData as SharedFile;
const hash = createHash('sha256');
const piece = Buffer.allocUnsafeSlow(pieceBytes);
let position = 0;
while (position < size) {
  const count = readSync(descriptor, piece, 0, Math.min(pieceBytes, size - position), position);
  // Whoever makes lines of it meets the same end and says so.
  if (count === 0) break;
  hash.update(piece.subarray(0, count));
  position += count;
}
parentPort!.postMessage(hash.digest('hex'));
