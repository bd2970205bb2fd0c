/** The code by which scripts reach memory: addresses of arrays, structures and properties, and the methods of views. */
import { unsignedBytes } from '../assembly/module-bytes.ts';
import { opcode } from '../assembly/opcodes.ts';
import { stores, viewAccess } from './memory-access.ts';
import { elementShift, type PlacedArray, type ScriptWorld, type ValueType } from './script-world.ts';
import type { Node, Target } from './syntax.ts';
import type { Variable, Variables } from './variables.ts';

export class MemoryCode {
  readonly #code: number[];
  readonly #world: ScriptWorld;
  readonly #variables: Variables;
  /** Leaves a value of this type on the stack. */
  readonly #value: (node: Node, type: ValueType) => void;

  constructor(code: number[], world: ScriptWorld, variables: Variables, value: (node: Node, type: ValueType) => void) {
    this.#code = code;
    this.#world = world;
    this.#variables = variables;
    this.#value = value;
  }

  /** What stands at a constant address or behind a pointer's variable, which is on the stack then. */
  placed(node: Extract<Target, { kind: 'property' }>): PlacedArray & { readonly pointer: Variable | null } {
    const pointer = this.#variables.find(node.object);
    const found =
      pointer === undefined ? this.#world.properties.get(`${node.object}.${node.property}`) : this.#world.members.get(node.property);
    if (found === undefined) throw new Error(`a script knows no ${node.object}.${node.property}`);
    return { ...found, pointer: pointer ?? null };
  }

  /** Leaves the address on the stack; answers what is added to it, and the type there. */
  address(node: Exclude<Target, { kind: 'name' }>): PlacedArray {
    if (node.kind === 'property') {
      const { pointer, ...placed } = this.placed(node);
      if (pointer === null) this.#value(integer(0), 'int');
      else this.#code.push(opcode.localGet, ...unsignedBytes(pointer.index));
      return placed;
    }
    const array = this.#world.arrays.get(node.array);
    const { index, offset } = withoutOffset(node.index);
    if (array === undefined) {
      this.#code.push(opcode.localGet, ...unsignedBytes(this.#variables.known(node.array).index));
      this.#value(index, 'int');
      this.#code.push(opcode.addI32);
      return { address: offset, type: 'u8' };
    }
    this.#value(index, 'int');
    const shift = elementShift[array.type];
    if (shift > 0) {
      this.#value(integer(shift), 'int');
      this.#code.push(opcode.shlI32);
    }
    return { address: array.address + (offset << shift), type: array.type };
  }

  /** Of a view at a constant address or one that a variable points to: loads, stores, fills and moves. */
  call(view: string, method: string, list: readonly Node[]): ValueType | null {
    const pointer = this.#variables.find(view);
    const base = pointer === undefined ? (this.#world.views.get(view) ?? fail(`a script knows no ${view}`)) : 0;
    const address = (node: Node): number => {
      if (pointer !== undefined) this.#code.push(opcode.localGet, ...unsignedBytes(pointer.index));
      const { index, offset } = withoutOffset(node);
      this.#value(index, 'int');
      if (pointer !== undefined) this.#code.push(opcode.addI32);
      return base + offset;
    };
    const whole = (node: Node): void => {
      const offset = address(node);
      this.#value(integer(offset), 'int');
      this.#code.push(opcode.addI32);
    };
    if (method === 'fill') {
      const [byte, start, end] = list as [Node, Node, Node];
      whole(start);
      this.#value(byte, 'int');
      this.#value({ kind: 'binary', operator: '-', left: end, right: start }, 'int');
      this.#code.push(...opcode.memoryFill);
      return null;
    }
    if (method === 'copyWithin') {
      const [to, start, end] = list as [Node, Node, Node];
      whole(to);
      whole(start);
      this.#value({ kind: 'binary', operator: '-', left: end, right: start }, 'int');
      this.#code.push(...opcode.memoryCopy);
      return null;
    }
    const access = viewAccess[method] ?? fail(`a script knows no ${view}.${method}`);
    const offset = address(list[0]!);
    if (method.startsWith('get')) {
      this.#code.push(access.code, 0, ...unsignedBytes(offset));
      return access.type === 'bits' ? fail('a script loads bits for something else than storing them') : access.type;
    }
    const value = list[1]!;
    if (access.type !== 'bits') this.#value(value, access.type);
    else if (value.kind === 'number') this.#value(value, 'double');
    else this.#bits(value);
    this.#code.push(access.type === 'bits' && value.kind === 'number' ? stores.f64 : access.code, 0, ...unsignedBytes(offset));
    return null;
  }

  /** Eight bytes as they are. */
  #bits(node: Node): void {
    if (node.kind !== 'call' || !node.callee.endsWith('.getFloat64')) throw new Error('a script stores a computed double as bits');
    const view = node.callee.slice(0, -'.getFloat64'.length);
    const { index, offset } = withoutOffset(node.arguments[0]!);
    this.#value(index, 'int');
    const base = this.#world.views.get(view) ?? fail(`a script knows no ${view}`);
    this.#code.push(opcode.loadI64, 0, ...unsignedBytes(base + offset));
  }
}

const integer = (value: number): Node => ({ kind: 'number', value, isDouble: false });

/** A constant that an index adds goes into the instruction. */
function withoutOffset(index: Node): { readonly index: Node; readonly offset: number } {
  if (index.kind === 'number' && index.value >= 0) return { index: integer(0), offset: index.value };
  if (index.kind === 'binary' && index.operator === '+' && index.right.kind === 'number' && index.right.value >= 0)
    return { index: index.left, offset: index.right.value };
  return { index, offset: 0 };
}

function fail(message: string): never {
  throw new Error(message);
}
