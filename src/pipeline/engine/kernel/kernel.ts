/**
 * Makes kernels from their source and keeps them per compiled flow and shape. The only place where code is generated:
 * its text comes from `kernel-source.ts` alone, which lets no text of a plan into it.
 */
import type { CompiledFlow } from '../compile-flow.ts';
import { isRealDay } from '../fields/moment-types.ts';
import { isValidLine } from '../records/utf8.ts';
import { countCodePoints, isCountryAt, isCurrencyAt, tripleAt } from './byte-checks.ts';
import { finishColumn, finishCsvCell } from './cell-text.ts';
import type { KernelRuntime, KernelState } from './kernel-runtime.ts';
import { type KernelShape, type KernelSource, kernelSource } from './kernel-source.ts';
import { readWide, writeDecimal, writeInteger } from './number-text.ts';
import { scanText } from './record-layout.ts';

export interface Kernel {
  readonly source: KernelSource;
  /** Takes records from `state.at` on; returns a `stopReason`. */
  run(state: KernelState, runtime: KernelRuntime): number;
}

const functions = {
  N: countCodePoints,
  scanText,
  isDay: isRealDay,
  isCurrency: isCurrencyAt,
  isCountry: isCountryAt,
  triple: tripleAt,
  validLine: isValidLine,
  wide: readWide,
  writeInteger,
  writeDecimal,
  cell: finishCsvCell,
  column: finishColumn,
};

const kernels = new WeakMap<CompiledFlow, Map<string, Kernel | null>>();
/** Shapes of JSON lines that are kept per flow. */
const shapesMax = 64;

/** Null when this flow has no fast path for this shape. */
export function kernelFor(flow: CompiledFlow, shape: KernelShape): Kernel | null {
  const known = kernels.get(flow) ?? new Map<string, Kernel | null>();
  kernels.set(flow, known);
  const key = JSON.stringify([
    shape.columns,
    shape.template?.map((part) => ('literal' in part ? part.literal.toString('base64') : [part.kind, part.path])),
  ]);
  const kept = known.get(key);
  if (kept !== undefined) return kept;
  if (known.size >= shapesMax) known.clear();
  const source = kernelSource(flow, shape);
  const kernel = source === null ? null : { source, run: instantiate(source) };
  known.set(key, kernel);
  return kernel;
}

function instantiate(source: KernelSource): Kernel['run'] {
  const make = new Function('K', 'F', source.code) as (constants: readonly unknown[], functions: object) => Kernel['run'];
  return make(source.constants, functions);
}
