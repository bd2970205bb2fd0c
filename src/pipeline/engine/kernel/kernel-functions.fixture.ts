/** The functions that kernels call, one by one, for tests: over a window of their own. */
import { moduleBytes } from '../assembly/module-bytes.ts';
import { webAssembly } from '../assembly/web-assembly.ts';
import { ibanTablesAt, WindowMemory, windowAt } from '../window-memory.ts';
import { prepareKernels } from './kernel-module.ts';

const slackBytes = 64;
const windowBytes = 4_096;
/** A stretch of the window that stands for an output. */
const outputAt = 2_048;

export const window = new WindowMemory(windowBytes);

function exported(): Readonly<Record<string, (...values: number[]) => number>> {
  const { imports, functions } = prepareKernels();
  const module = new webAssembly.Module(moduleBytes({ imports, functions: functions.map((each) => ({ ...each, isExported: true })) }));
  const calls = Object.fromEntries(imports.map(({ name }) => [name, () => 0]));
  return new webAssembly.Instance(module, { engine: { memory: window.memory, ...calls } }).exports as never;
}

export const functions = exported();

/** Puts the text into the window, line feeds behind it; returns its bytes' length. */
export function show(text: string | Uint8Array): number {
  const bytes = Buffer.from(text as string);
  window.bytes.fill(0x0a, 0, bytes.length + slackBytes);
  window.bytes.set(bytes);
  return bytes.length;
}

export const ibanLengthOf = (text: string): number => {
  show(text);
  return functions['iban']!(windowAt, ibanTablesAt);
};

/** Where outputs are: what functions take for `B`. */
export const output = windowAt + outputAt;

export function outputText(end: number): string {
  return window.bytes.toString('utf8', outputAt, outputAt + end);
}

/** Puts the text into the output; returns its bytes' length. */
export function write(text: string): number {
  return window.bytes.write(text, outputAt, 'utf8');
}
