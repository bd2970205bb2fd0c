/** The most that a process of Linux had resident (VmHWM) since a moment that a test chooses, its threads with it. */
import { readFileSync, writeFileSync } from 'node:fs';

/** From now on; what is resident now counts, and is returned. */
export function restartPeak(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return peakBytes(pid);
}

export function peakBytes(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (match === null) throw new Error('the kernel does not say what was resident');
  return Number(match[1]) * 1024;
}
