/** The instructions by which scripts read and write memory. */
import { opcode } from '../assembly/opcodes.ts';
import type { ElementType, ValueType } from './script-world.ts';

export const loads: Readonly<Record<ElementType, number>> = {
  i8: opcode.load8SignedI32,
  u8: opcode.load8I32,
  i16: opcode.load16SignedI32,
  u16: opcode.load16I32,
  i32: opcode.loadI32,
  u32: opcode.loadI32,
  f64: opcode.loadF64,
};

export const stores: Readonly<Record<ElementType, number>> = {
  i8: opcode.store8I32,
  u8: opcode.store8I32,
  i16: opcode.store16I32,
  u16: opcode.store16I32,
  i32: opcode.storeI32,
  u32: opcode.storeI32,
  f64: opcode.storeF64,
};

/** Methods of views, named as those of `DataView`. `bits`: eight bytes that are moved, or a double that stands for them. */
export const viewAccess: Readonly<Record<string, { readonly code: number; readonly type: ValueType | 'bits' }>> = {
  getInt32: { code: opcode.loadI32, type: 'int' },
  getInt16: { code: opcode.load16SignedI32, type: 'int' },
  getUint16: { code: opcode.load16I32, type: 'int' },
  setInt8: { code: opcode.store8I32, type: 'int' },
  setInt16: { code: opcode.store16I32, type: 'int' },
  setInt32: { code: opcode.storeI32, type: 'int' },
  setFloat64: { code: opcode.storeI64, type: 'bits' },
};
