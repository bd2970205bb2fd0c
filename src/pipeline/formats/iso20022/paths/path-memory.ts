/** Memory for one reader at a time: what it learned of its message, and the window on its file. Few are kept: it is dear to make. */
import { pageBytes, type WebAssemblyMemory, webAssembly } from '../../../engine/assembly/web-assembly.ts';
import { active, activeOrHistoric } from '../values/code-values.ts';
import type { ValueCheck } from '../values/value-problem.ts';
import { activeAt, eventsAt, historicAt, memoryBytes, placesAt, stateAt, tables, windowAt, windowBytes } from './path-layout.ts';
import { type PathExports, pathExports } from './path-module.ts';

const spareMax = 2;
const spare: PathMemory[] = [];

export class PathMemory {
  /** All of it, by address. */
  readonly all: Buffer;
  readonly words: Int32Array;
  readonly window: Buffer;
  readonly exports: PathExports;
  /** By the numbers that places have. */
  checks: ValueCheck[] = [];

  constructor() {
    const memory: WebAssemblyMemory = new webAssembly.Memory({ initial: Math.ceil(memoryBytes / pageBytes) });
    this.all = Buffer.from(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.window = this.all.subarray(windowAt, windowAt + windowBytes);
    for (const [address, table] of [...tables, [activeAt, active], [historicAt, activeOrHistoric]] as const)
      this.all.set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength), address);
    this.exports = pathExports(memory, (check, from, to) => (this.checks[check]!(this.all, from, to) === null ? 1 : 0));
  }
}

export function takePathMemory(): PathMemory {
  return spare.pop() ?? new PathMemory();
}

/** Nobody may look at it any more. */
export function givePathMemory(memory: PathMemory): void {
  memory.checks = [];
  memory.all.fill(0, stateAt, eventsAt);
  memory.all.fill(0, placesAt, windowAt);

  if (spare.length < spareMax) spare.push(memory);
}
