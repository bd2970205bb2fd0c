/**
 * Compiles the statements of a script to the body of a WebAssembly function: structured control flow as it stands, conditions
 * as jumps. What names outside the script mean is the caller's `ScriptWorld`.
 */
import { unsignedBytes } from '../assembly/module-bytes.ts';
import { control, opcode } from '../assembly/opcodes.ts';
import { ExpressionCompiler } from './compile-expression.ts';
import type { ScriptWorld, ValueType } from './script-world.ts';
import type { Node, Statement } from './syntax.ts';

export interface ScriptFunction {
  readonly name: string;
  readonly parameters: readonly (readonly [name: string, type: ValueType])[];
  readonly result: ValueType;
  readonly body: readonly Statement[];
}

export interface CompiledFunction {
  /** Types of the locals behind the parameters. */
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
}

export function compileFunction(script: ScriptFunction, world: ScriptWorld): CompiledFunction {
  const compiler = new FunctionCompiler(script, world);
  return compiler.compile(script.body);
}

const loopEnd = '(loop)';
const loopNext = '(next)';

class FunctionCompiler {
  readonly #code: number[] = [];
  readonly #expressions: ExpressionCompiler;
  readonly #result: ValueType;
  /** What `break` and `continue` look for; null for jumps that only the compiler makes. */
  readonly #levels: (string | null)[] = [];

  constructor(script: ScriptFunction, world: ScriptWorld) {
    this.#result = script.result;
    this.#expressions = new ExpressionCompiler(this.#code, world, script.parameters);
  }

  compile(body: readonly Statement[]): CompiledFunction {
    this.#statements(body);
    // The end is not reached: every function ends with `return`.
    this.#code.push(control.unreachable);
    return { locals: this.#expressions.variables.locals, code: this.#code };
  }

  #statements(list: readonly Statement[]): void {
    for (const statement of list) this.#statement(statement);
  }

  #scoped(list: readonly Statement[]): void {
    this.#expressions.variables.open();
    this.#statements(list);
    this.#expressions.variables.close();
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case 'run':
        this.#expressions.run(statement.node);
        break;
      case 'let':
        this.#expressions.declare(statement.name, statement.value);
        break;
      case 'if':
        this.#if(statement);
        break;
      case 'loop':
        this.#loop(statement);
        break;
      case 'block':
        if (statement.label === null) this.#scoped(statement.body);
        else this.#block(statement.label, () => this.#scoped(statement.body));
        break;
      case 'break':
        this.#jump(control.branch, this.#levelOf(statement.label ?? loopEnd));
        break;
      case 'continue':
        this.#jump(control.branch, this.#levelOf(loopNext));
        break;
      case 'return':
        this.#expressions.value(statement.value, this.#result);
        this.#code.push(control.return);
    }
  }

  #block(label: string | null, body: () => void): void {
    this.#enter(control.block, label);
    body();
    this.#leave();
  }

  #enter(kind: number, label: string | null): void {
    this.#code.push(kind, control.noResult);
    this.#levels.push(label);
  }

  #leave(): void {
    this.#levels.pop();
    this.#code.push(control.end);
  }

  #levelOf(label: string): number {
    const level = this.#levels.lastIndexOf(label);
    if (level < 0) throw new Error(`a script leaves ${label}, which it is not in`);
    return level;
  }

  #jump(instruction: number, level: number): void {
    this.#code.push(instruction, ...unsignedBytes(this.#levels.length - 1 - level));
  }

  #if({ test, then, otherwise }: Extract<Statement, { kind: 'if' }>): void {
    const [only] = then;
    if (otherwise.length > 0) this.#ifElse(test, then, otherwise);
    else if (then.length === 1 && only?.kind === 'break') this.#branch(test, true, this.#levelOf(only.label ?? loopEnd));
    else {
      this.#block(null, () => {
        this.#branch(test, false, this.#levels.length - 1);
        this.#scoped(then);
      });
    }
  }

  #ifElse(test: Node, then: readonly Statement[], otherwise: readonly Statement[]): void {
    this.#block(null, () => {
      const end = this.#levels.length - 1;
      this.#block(null, () => {
        this.#branch(test, false, this.#levels.length - 1);
        this.#scoped(then);
        this.#jump(control.branch, end);
      });
      this.#scoped(otherwise);
    });
  }

  #loop({ test, step, body }: Extract<Statement, { kind: 'loop' }>): void {
    this.#block(loopEnd, () => {
      this.#enter(control.loop, step === null ? loopNext : null);
      const again = this.#levels.length - 1;
      if (test !== null) this.#branch(test, false, again - 1);
      if (step === null) this.#scoped(body);
      else {
        this.#block(loopNext, () => this.#scoped(body));
        this.#expressions.run(step);
      }
      this.#jump(control.branch, again);
      this.#leave();
    });
  }

  /** Jumps out of the level when the condition is `wanted`, and goes on behind it otherwise. */
  #branch(node: Node, wanted: boolean, level: number): void {
    if (node.kind === 'unary' && node.operator === '!') this.#branch(node.operand, !wanted, level);
    else if (node.kind === 'logic') this.#branchLogic(node, wanted, level);
    else if (node.kind !== 'number') {
      this.#expressions.value(node, 'int');
      if (!wanted) this.#code.push(opcode.eqzI32);
      this.#jump(control.branchIf, level);
    } else if ((node.value !== 0) === wanted) this.#jump(control.branch, level);
  }

  #branchLogic({ operator, left, right }: Extract<Node, { kind: 'logic' }>, wanted: boolean, level: number): void {
    if ((operator === '||') === wanted) {
      this.#branch(left, wanted, level);
      this.#branch(right, wanted, level);
    } else {
      this.#block(null, () => {
        this.#branch(left, !wanted, this.#levels.length - 1);
        this.#branch(right, wanted, level);
      });
    }
  }
}
