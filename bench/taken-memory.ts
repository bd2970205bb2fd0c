/**
 * Memory that a virtual machine has. Pages that it was not given yet, or that it gave back, cost microseconds each when they are used, and
 * Linux gives back what is free two seconds after some of it became so (page_reporting.c).
 */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { systemPorts } from '../src/platform/base/system-ports.ts';

const pieceBytes = 4 * 1024 * 1024;
const givenBackMs = 2_200;

/** Uses so much, as a file that is never on the disk, until what was free before has been given back, and frees it for who comes now. */
export async function takeMemory(path: string, bytes: number): Promise<void> {
  const piece = Buffer.alloc(pieceBytes, 1);
  const file = openSync(path, 'w');
  for (let at = 0; at < bytes; at += pieceBytes) writeSync(file, piece);
  closeSync(file);
  await systemPorts.sleep.sleep(givenBackMs);
  rmSync(path);
}
