/** The variables of a script's function: which are in sight, and the locals that hold them. */
import type { ValueType } from './script-world.ts';

export interface Variable {
  readonly index: number;
  readonly type: ValueType;
}

export class Variables {
  /** Types of the locals behind the parameters. */
  readonly locals: ValueType[] = [];
  readonly #scopes: Map<string, Variable>[] = [new Map()];
  readonly #parameters: number;

  constructor(parameters: readonly (readonly [string, ValueType])[]) {
    this.#parameters = parameters.length;
    for (const [index, [name, type]] of parameters.entries()) this.#scopes[0]!.set(name, { index, type });
  }

  open(): void {
    this.#scopes.push(new Map());
  }

  close(): void {
    this.#scopes.pop();
  }

  declare(name: string, type: ValueType): Variable {
    const variable = { index: this.local(type), type };
    this.#scopes.at(-1)!.set(name, variable);
    return variable;
  }

  /** One that no name leads to. */
  local(type: ValueType): number {
    this.locals.push(type);
    return this.#parameters + this.locals.length - 1;
  }

  find(name: string): Variable | undefined {
    for (let at = this.#scopes.length - 1; at >= 0; at--) {
      const found = this.#scopes[at]!.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  known(name: string): Variable {
    const found = this.find(name);
    if (found === undefined) throw new Error(`a script knows no ${name}`);
    return found;
  }
}
