/**
 * Compiles a kernel's script, with the functions that it calls, to a WebAssembly module, and puts the module over a thread's
 * memory. No text of a plan is ever code: literals enter scripts as numbers or as tables.
 */
import { keepKernel, keptKernel } from '../../../platform/base/kept-code.ts';
import { type FunctionType, type ModuleFunction, moduleBytes } from '../assembly/module-bytes.ts';
import { type as wasmType } from '../assembly/opcodes.ts';
import { type WebAssemblyMemory, webAssembly } from '../assembly/web-assembly.ts';
import { compileFunction, type ScriptFunction } from '../script/compile.ts';
import { parseScript } from '../script/parse.ts';
import type { CallableFunction, PlacedArray, ScriptWorld, ValueType } from '../script/script-world.ts';
import { countriesAt, currenciesAt, ibanTablesAt, windowAt } from '../window-memory.ts';
import { digitsFunction } from './digits-function.ts';
import { ibanFunction } from './iban-function.ts';
import { kernelFunctions } from './kernel-functions.ts';
import { type KernelLayout, stageWord, stageWords, stateWord } from './kernel-layout.ts';
import type { KernelRuntime } from './kernel-runtime.ts';
import type { KernelSource } from './kernel-source.ts';
import { scanFunction } from './scan-function.ts';
import { spanFunction } from './span-function.ts';

/** Takes records from `at` on, none that starts at `until` or later; returns a `stopReason`. */
export type RunKernel = (
  at: number,
  until: number,
  /** Bytes in the window. */
  have: number,
  /** What is added to a position to give the offset in the chunk. */
  base: number,
  firstRecord: number,
  recordBytesMax: number,
  records: number,
) => number;

/** Looks at the record in `[start, end)` of the window: 0 it can't say, 1 fields fail, 2 rules fail. */
export type InspectRecord = (start: number, end: number) => number;

export interface KernelExports {
  readonly run: RunKernel;
  readonly inspect?: InspectRecord;
}

const inspectParameters: ScriptFunction['parameters'] = [
  ['start', 'int'],
  ['end', 'int'],
];

const runParameters: ScriptFunction['parameters'] = [
  ['at', 'int'],
  ['until', 'int'],
  ['have', 'int'],
  ['base', 'int'],
  ['first', 'double'],
  ['limit', 'int'],
  ['full', 'int'],
];

const ints = (count: number): ValueType[] => new Array<ValueType>(count).fill('int');

/** What kernels call of their runtime. */
const calls: Readonly<Record<string, { readonly parameters: readonly ValueType[]; readonly result: ValueType | null }>> = {
  slotOf: { parameters: ints(1), result: 'int' },
  routeSetOf: { parameters: ints(1), result: 'int' },
  fanOut: { parameters: ['int', 'double'], result: 'int' },
  hashPlaces: { parameters: ints(3), result: null },
  accepts: { parameters: ints(3), result: 'int' },
  test: { parameters: ints(1), result: 'int' },
  writeJson: { parameters: ints(3), result: 'int' },
  writeText: { parameters: ints(3), result: 'int' },
};

const typeCode = (type: ValueType): number => (type === 'double' ? wasmType.f64 : wasmType.i32);
const signature = (name: string, parameters: readonly ValueType[], result: ValueType | null): FunctionType => ({
  name,
  parameters: parameters.map(typeCode),
  results: result === null ? [] : [typeCode(result)],
});

/** A module and everything that it was compiled from. */
export interface MadeModule {
  readonly made: string;
  readonly module: object;
}

/** Those of this thread, which nobody has taken, and those of others. */
const own: MadeModule[] = [];
const given = new Map<string, object>();
const keptMax = 16;

/** What this thread has compiled since it was asked last, the newest few: for other threads, which may use the same modules. */
export function takeModules(): readonly MadeModule[] {
  return own.splice(0);
}

/** Of another thread: spares the compilation of the same kernel. */
export function giveModules(modules: readonly MadeModule[]): void {
  for (const { made, module } of modules) {
    if (given.size >= keptMax) given.clear();
    given.set(made, module);
  }
}

function moduleOf(source: KernelSource, layout: KernelLayout): object {
  const { code, inspection, constants, scans, spans } = source;
  const tables = constants.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString('latin1'));
  const made = JSON.stringify([code, inspection, [...layout.arrays], layout.entriesAt, layout.stageBytes, tables, [...scans], spans]);
  const known = given.get(made);
  if (known !== undefined) return known;
  let bytes = keptKernel(made);
  if (bytes === null) {
    bytes = compileModule(source, layout);
    keepKernel(made, bytes);
  }
  const module = new webAssembly.Module(bytes);
  if (own.length >= keptMax) own.shift();
  own.push({ made, module });
  return module;
}

export class KernelModule {
  readonly layout: KernelLayout;
  readonly #source: KernelSource;
  readonly #module: object;
  readonly #instances = new WeakMap<WebAssemblyMemory, KernelExports>();
  /** Of the run that calls: a thread has one at a time. */
  #runtime: KernelRuntime | null = null;

  constructor(source: KernelSource, layout: KernelLayout) {
    this.layout = layout;
    this.#source = source;
    this.#module = moduleOf(source, layout);
  }

  /** The kernel over this memory, whose tables may be another kernel's until now; it calls this runtime. */
  over(memory: WebAssemblyMemory, runtime: KernelRuntime): KernelExports {
    for (const [index, { address }] of this.layout.constants.entries()) {
      const table = this.#source.constants[index]!;
      new Uint8Array(memory.buffer, address).set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength));
    }
    this.#runtime = runtime;
    const known = this.#instances.get(memory);
    if (known !== undefined) return known;
    const imports: Record<string, unknown> = { memory };
    for (const name of Object.keys(calls)) imports[name] = this.#call(name as keyof KernelRuntime);
    const made = new webAssembly.Instance(this.#module, { engine: imports }).exports as unknown as KernelExports;
    this.#instances.set(memory, made);
    return made;
  }

  #call(name: keyof KernelRuntime): (...values: number[]) => unknown {
    return (...values) => (this.#runtime![name] as (...values: number[]) => unknown)(...values);
  }
}

const asciiInLine = [
  { first: 0, last: 0x09 },
  { first: 0x0b, last: 0x7f },
];

/** What every kernel has in front of its own functions: what it calls, and what is compiled once per thread. */
interface Common {
  readonly imports: readonly FunctionType[];
  readonly functions: readonly ModuleFunction[];
  readonly callable: ReadonlyMap<string, CallableFunction>;
}

let common: Common | null = null;

/** Whoever is going to need kernels and has nothing else to do may ask for it beforehand. */
export function prepareKernels(): Common {
  common ??= compileCommon();
  return common;
}

function compileCommon(): Common {
  const imports = Object.entries(calls).map(([name, { parameters, result }]) => signature(name, parameters, result));
  const callable = new Map<string, CallableFunction>();
  for (const [name, call] of Object.entries(calls)) callable.set(`X.${name}`, { index: callable.size, ...call });
  const assembled = [ibanFunction(), digitsFunction(), spanFunction('plain', asciiInLine)];
  addAssembled(callable, assembled, imports.length);
  const scripts = kernelFunctions();
  addScripts(callable, scripts, imports.length + assembled.length);
  const world = worldOf(fixedArrays, callable);
  return { imports, callable, functions: [...assembled, ...scripts.map((script) => compileScript(script, world, false))] };
}

function addAssembled(into: Map<string, CallableFunction>, functions: readonly ModuleFunction[], first: number): void {
  for (const [index, { name, parameters }] of functions.entries())
    into.set(name, { index: first + index, parameters: ints(parameters.length), result: 'int' });
}

function addScripts(into: Map<string, CallableFunction>, scripts: readonly ScriptFunction[], first: number): void {
  for (const [index, { name, parameters, result }] of scripts.entries())
    into.set(name, { index: first + index, parameters: parameters.map(([, type]) => type), result });
}

function compileScript(script: ScriptFunction, world: ScriptWorld, isExported: boolean): ModuleFunction {
  const { locals, code } = compileFunction(script, world);
  const { name, parameters, results } = signature(
    script.name,
    script.parameters.map(([, type]) => type),
    script.result,
  );
  return { name, parameters, results, locals: locals.map((type) => [1, typeCode(type)]), code, isExported };
}

function compileModule(source: KernelSource, layout: KernelLayout): Uint8Array<ArrayBuffer> {
  const { imports, functions, callable } = prepareKernels();
  const assembled = [
    ...[...source.scans].map((index) =>
      scanFunction(`scan${index}`, source.constants[index] as Uint8Array, layout.constants[index]!.address),
    ),
    ...source.spans.map((ranges, index) => spanFunction(`span${index}`, ranges)),
  ];
  const own: ScriptFunction[] = [{ name: 'run', parameters: runParameters, result: 'int', body: parseScript(source.code) }];
  if (source.inspection !== null)
    own.push({ name: 'inspect', parameters: inspectParameters, result: 'int', body: parseScript(source.inspection) });
  const all = new Map(callable);
  const first = imports.length + functions.length;
  addAssembled(all, assembled, first);
  addScripts(all, own, first + assembled.length);
  const world = kernelWorld(layout, all);
  return moduleBytes({ imports, functions: [...functions, ...assembled, ...own.map((script) => compileScript(script, world, true))] });
}

const members: ReadonlyMap<string, PlacedArray> = new Map(
  Object.entries({ ...stageWord, view: stageWord.bytes }).map(([name, word]) => [
    name,
    { address: word * 4, type: name === 'stripeFirst' ? 'f64' : 'i32' },
  ]),
);

const fixedArrays: ReadonlyMap<string, PlacedArray> = new Map([
  ['b', { address: windowAt, type: 'u8' }],
  ['currencies', { address: currenciesAt, type: 'u8' }],
  ['countries', { address: countriesAt, type: 'u8' }],
]);

function worldOf(arrays: ReadonlyMap<string, PlacedArray>, functions: ReadonlyMap<string, CallableFunction>): ScriptWorld {
  const none = new Map();
  return { arrays, functions, members, views: none, structures: none, properties: none, constants: none };
}

function kernelWorld(layout: KernelLayout, functions: ReadonlyMap<string, CallableFunction>): ScriptWorld {
  const state = layout.arrays.get('S')!;
  const stages = layout.arrays.get('outs')!;
  return {
    ...worldOf(new Map([...fixedArrays, ...layout.arrays].filter(([name]) => name !== 'outs')), functions),
    views: new Map([
      ['I', windowAt],
      ['KV', layout.entriesAt],
    ]),
    structures: new Map([['outs', { address: stages.address, bytes: stageWords * 4 }]]),
    properties: new Map(Object.entries(stateWord).map(([name, word]) => [`S.${name}`, { address: state.address + 4 * word, type: 'i32' }])),
    constants: new Map([
      ['WINDOW', windowAt],
      ['IBANS', ibanTablesAt],
      ['CAPACITY', layout.stageBytes],
    ]),
  };
}
