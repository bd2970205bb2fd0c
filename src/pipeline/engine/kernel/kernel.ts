/** Makes kernels and keeps them per compiled flow and shape. */
import type { CompiledFlow } from '../compile-flow.ts';
import { KernelLayout } from './kernel-layout.ts';
import { KernelModule } from './kernel-module.ts';
import { type KernelShape, type KernelSource, kernelSource } from './kernel-source.ts';

export interface Kernel {
  readonly source: KernelSource;
  readonly module: KernelModule;
}

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
  const kernel = makeKernel(flow, shape);
  known.set(key, kernel);
  return kernel;
}

function makeKernel(flow: CompiledFlow, shape: KernelShape): Kernel | null {
  const source = kernelSource(flow, shape);
  if (source === null) return null;
  const bodies = Math.max(0, ...source.bodyOfTarget.map((body) => body + 1));
  const layout = KernelLayout.of(flow, { bodies, constants: source.constants });
  return layout === null ? null : { source, module: new KernelModule(source, layout) };
}
