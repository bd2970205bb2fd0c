/** Compiles a script's expressions to stack code, and keeps the variables that they read and set. */
import { float64Bytes, signedBytes, unsignedBytes } from '../assembly/module-bytes.ts';
import { control, doubleBinary, intBinary, intBinaryUnsigned, opcode } from '../assembly/opcodes.ts';
import { loads, stores } from './memory-access.ts';
import { MemoryCode } from './memory-code.ts';
import type { ScriptWorld, ValueType } from './script-world.ts';
import type { Binary, Node, Target } from './syntax.ts';
import { Variables } from './variables.ts';

/** `unsigned`: an integer whose comparisons are those of unsigned ones. */
type ExpressionType = ValueType | 'unsigned';

const comparisons: ReadonlySet<Binary> = new Set(['===', '!==', '<', '<=', '>', '>=']);

export class ExpressionCompiler {
  readonly variables: Variables;
  readonly #code: number[];
  readonly #world: ScriptWorld;
  readonly #memory: MemoryCode;

  constructor(code: number[], world: ScriptWorld, parameters: readonly (readonly [string, ValueType])[]) {
    this.#code = code;
    this.#world = world;
    this.variables = new Variables(parameters);
    this.#memory = new MemoryCode(code, world, this.variables, (node, type) => this.value(node, type));
  }

  declare(name: string, value: Node): void {
    const type: ValueType = this.#typeOf(value) === 'double' ? 'double' : 'int';
    this.value(value, type);
    this.#code.push(opcode.localSet, ...unsignedBytes(this.variables.declare(name, type).index));
  }

  /** Leaves nothing on the stack. */
  run(node: Node): void {
    if (node.kind === 'assign') this.#assign(node, false);
    else if (node.kind === 'step') this.#step(node, false);
    else if (node.kind === 'sequence') for (const each of node.nodes) this.run(each);
    else if (node.kind === 'call') {
      if (this.#call(node) !== null) this.#code.push(control.drop);
    } else throw new Error(`a script computes a ${node.kind} and leaves it`);
  }

  /** Leaves a value of this type on the stack. */
  value(node: Node, type: ValueType): void {
    if (node.kind === 'number' && (type === 'double' || !node.isDouble)) {
      this.#number(node.value, type);
      return;
    }
    const found = this.#emit(node);
    if (type === 'double' && found !== 'double') this.#code.push(found === 'unsigned' ? opcode.doubleOfUnsigned : opcode.doubleOfInt);
    if (type === 'int' && found === 'double') throw new Error('a script takes a double for an integer');
  }

  #number(value: number, type: ValueType): void {
    if (type === 'double') this.#code.push(opcode.constF64, ...float64Bytes(value));
    else this.#code.push(opcode.constI32, ...signedBytes(value));
  }

  #typeOf(node: Node): ExpressionType {
    switch (node.kind) {
      case 'number':
        return node.isDouble ? 'double' : 'int';
      case 'name':
        return this.#world.constants.has(node.name) ? 'int' : this.variables.known(node.name).type;
      case 'index':
        return this.#world.arrays.get(node.array)?.type === 'f64' ? 'double' : 'int';
      case 'property':
        return this.#memory.placed(node).type === 'f64' ? 'double' : 'int';
      case 'call':
        return this.#callType(node);
      case 'unary':
        return node.operator === '-' ? this.#typeOf(node.operand) : 'int';
      case 'binary':
        if (comparisons.has(node.operator)) return 'int';
        if (node.operator === '>>>') return 'unsigned';
        return this.#typeOf(node.left) === 'double' || this.#typeOf(node.right) === 'double' ? 'double' : 'int';
      case 'logic':
        return 'int';
      case 'choice':
        return this.#typeOf(node.yes) === 'double' || this.#typeOf(node.no) === 'double' ? 'double' : 'int';
      case 'assign':
      case 'step':
        return this.#typeOf(node.target);
      case 'sequence':
        return this.#typeOf(node.nodes.at(-1)!);
    }
  }

  #callType(node: Extract<Node, { kind: 'call' }>): ExpressionType {
    const callee = this.#world.functions.get(node.callee);
    if (callee !== undefined) return callee.result ?? 'int';
    if (node.callee === 'floor' || node.callee === 'min' || node.callee === 'max')
      return node.arguments.some((each) => this.#typeOf(each) === 'double') ? 'double' : 'int';
    return node.callee.endsWith('.getFloat64') ? 'double' : 'int';
  }

  #emit(node: Node): ExpressionType {
    switch (node.kind) {
      case 'number':
        this.#number(node.value, node.isDouble ? 'double' : 'int');
        return node.isDouble ? 'double' : 'int';
      case 'name':
        return this.#name(node.name);
      case 'index':
      case 'property':
        return this.#load(node);
      case 'call':
        return this.#call(node) ?? fail(`a script wants a value of ${node.callee}`);
      case 'unary':
        return this.#unary(node);
      case 'binary':
        return this.#binary(node);
      case 'logic':
        return this.#logic(node);
      case 'choice':
        return this.#choice(node);
      case 'assign':
        return this.#assign(node, true);
      case 'step':
        return this.#step(node, true);
      case 'sequence':
        for (const each of node.nodes.slice(0, -1)) this.run(each);
        return this.#emit(node.nodes.at(-1)!);
    }
  }

  #name(name: string): ValueType {
    const constant = this.variables.find(name) === undefined ? this.#world.constants.get(name) : undefined;
    if (constant !== undefined) {
      this.#number(constant, 'int');
      return 'int';
    }
    const { index, type } = this.variables.known(name);
    this.#code.push(opcode.localGet, ...unsignedBytes(index));
    return type;
  }

  #unary(node: Extract<Node, { kind: 'unary' }>): ValueType {
    if (node.operator === '!') {
      this.value(node.operand, 'int');
      this.#code.push(opcode.eqzI32);
      return 'int';
    }
    if (node.operator === '~') {
      this.value(node.operand, 'int');
      this.#number(-1, 'int');
      this.#code.push(intBinary['^']);
      return 'int';
    }
    if (this.#typeOf(node.operand) === 'double') {
      this.#emit(node.operand);
      this.#code.push(opcode.negateF64);
      return 'double';
    }
    this.#number(0, 'int');
    this.#emit(node.operand);
    this.#code.push(opcode.subI32);
    return 'int';
  }

  #binary({ operator, left, right }: Extract<Node, { kind: 'binary' }>): ExpressionType {
    const types = [this.#typeOf(left), this.#typeOf(right)];
    if (types.includes('double')) {
      this.value(left, 'double');
      this.value(right, 'double');
      this.#code.push(doubleBinary[operator] ?? fail(`a script has ${operator} of doubles`));
      return comparisons.has(operator) ? 'int' : 'double';
    }
    this.value(left, 'int');
    this.value(right, 'int');
    const isUnsigned = comparisons.has(operator) && types.includes('unsigned');
    this.#code.push((isUnsigned ? intBinaryUnsigned[operator] : undefined) ?? intBinary[operator]);
    return operator === '>>>' ? 'unsigned' : 'int';
  }

  #logic({ operator, left, right }: Extract<Node, { kind: 'logic' }>): ValueType {
    this.value(left, 'int');
    this.#code.push(control.if, control.resultI32);
    if (operator === '&&') this.value(right, 'int');
    else this.#number(1, 'int');
    this.#code.push(control.else);
    if (operator === '&&') this.#number(0, 'int');
    else this.value(right, 'int');
    this.#code.push(control.end);
    return 'int';
  }

  #choice(node: Extract<Node, { kind: 'choice' }>): ValueType {
    const type = this.#typeOf(node) === 'double' ? 'double' : 'int';
    this.value(node.test, 'int');
    this.#code.push(control.if, type === 'double' ? control.resultF64 : control.resultI32);
    this.value(node.yes, type);
    this.#code.push(control.else);
    this.value(node.no, type);
    this.#code.push(control.end);
    return type;
  }

  #load(node: Exclude<Target, { kind: 'name' }>): ValueType {
    const structure = node.kind === 'index' ? this.#world.structures.get(node.array) : undefined;
    if (structure !== undefined && node.kind === 'index') {
      this.#number(structure.address, 'int');
      this.value(node.index, 'int');
      this.#number(structure.bytes, 'int');
      this.#code.push(opcode.multiplyI32, opcode.addI32);
      return 'int';
    }
    const { address, type } = this.#memory.address(node);
    this.#code.push(loads[type], 0, ...unsignedBytes(address));
    return type === 'f64' ? 'double' : 'int';
  }

  #assign(node: Extract<Node, { kind: 'assign' }>, wantsValue: boolean): ValueType {
    const { target } = node;
    const type = this.#typeOf(target) === 'double' ? 'double' : 'int';
    const operator = node.operator.slice(0, -1) as Binary | '';
    if (target.kind === 'name') {
      const { index } = this.variables.known(target.name);
      this.value(operator === '' ? node.value : { kind: 'binary', operator, left: target, right: node.value }, type);
      this.#code.push(wantsValue ? opcode.localTee : opcode.localSet, ...unsignedBytes(index));
      return type;
    }
    if (wantsValue) throw new Error('a script uses the value of an assignment to memory');
    this.#store(target, type, (old) => {
      if (operator === '') return this.value(node.value, type);
      old();
      this.value(node.value, type);
      this.#code.push((type === 'double' ? doubleBinary[operator] : intBinary[operator]) ?? fail(`a script has ${operator} of doubles`));
    });
    return type;
  }

  #step(node: Extract<Node, { kind: 'step' }>, wantsValue: boolean): ValueType {
    const { target, by } = node;
    if (target.kind === 'name') {
      const { index, type } = this.variables.known(target.name);
      if (type === 'double') throw new Error('a script steps a double');
      if (wantsValue) this.#name(target.name);
      this.#name(target.name);
      this.#number(by, 'int');
      this.#code.push(opcode.addI32, opcode.localSet, ...unsignedBytes(index));
      return 'int';
    }
    if (wantsValue) throw new Error('a script uses the value of a step in memory');
    this.#store(target, 'int', (old) => {
      old();
      this.#number(by, 'int');
      this.#code.push(opcode.addI32);
    });
    return 'int';
  }

  /** The value's code may ask for the old value, whose address is computed once. */
  #store(target: Exclude<Target, { kind: 'name' }>, valueType: ValueType, value: (old: () => void) => void): void {
    const { address, type } = this.#memory.address(target);
    let keep: number | null = null;
    const at = this.#code.length;
    value(() => {
      keep = this.variables.local('int');
      this.#code.splice(at, 0, opcode.localTee, ...unsignedBytes(keep));
      this.#code.push(opcode.localGet, ...unsignedBytes(keep), loads[type], 0, ...unsignedBytes(address));
    });
    if ((type === 'f64') !== (valueType === 'double')) throw new Error('a script stores another type');
    this.#code.push(stores[type], 0, ...unsignedBytes(address));
  }

  /** The type of what is on the stack then; null: nothing. */
  #call(node: Extract<Node, { kind: 'call' }>): ValueType | null {
    const callee = this.#world.functions.get(node.callee);
    if (callee !== undefined) {
      for (const [position, type] of callee.parameters.entries()) this.value(node.arguments[position]!, type);
      this.#code.push(control.call, ...unsignedBytes(callee.index));
      return callee.result;
    }
    const point = node.callee.indexOf('.');
    if (point > 0) return this.#memory.call(node.callee.slice(0, point), node.callee.slice(point + 1), node.arguments);
    return this.#builtIn(node);
  }

  #builtIn({ callee, arguments: list }: Extract<Node, { kind: 'call' }>): ValueType {
    switch (callee) {
      case 'floor':
        this.value(list[0]!, 'double');
        this.#code.push(opcode.floorF64);
        return 'double';
      case 'int':
        this.value(list[0]!, 'double');
        this.#code.push(...opcode.intOfDouble);
        return 'int';
      case 'double':
        this.value(list[0]!, 'double');
        return 'double';
      case 'min':
      case 'max': {
        const kept = list.map((each) => {
          const local = this.variables.local('int');
          this.value(each, 'int');
          this.#code.push(opcode.localTee, ...unsignedBytes(local));
          return local;
        });
        for (const local of kept) this.#code.push(opcode.localGet, ...unsignedBytes(local));
        this.#code.push(callee === 'min' ? opcode.lessSignedI32 : opcode.moreSignedI32, opcode.select);
        return 'int';
      }
      default:
        throw new Error(`a script knows no ${callee}()`);
    }
  }
}

function fail(message: string): never {
  throw new Error(message);
}
