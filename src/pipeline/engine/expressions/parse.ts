/**
 * Reads CEL text into a syntax tree with positions. Only the part of CEL that flows use: no maps, messages, lambdas or
 * floating point. Bounded: nesting at most 32, at most 1,000 nodes besides literals, lists of at most 1,000 items.
 */
import { ExpressionProblem, problem, type TextRange } from './problem.ts';
import { readTokens, type Token } from './tokens.ts';

export type BinaryOperator = '&&' | '||' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%' | 'in';

export type Syntax = TextRange &
  (
    | { readonly kind: 'literal'; readonly type: 'string' | 'int' | 'bool' | 'null'; readonly value: string }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'select'; readonly target: Syntax; readonly name: string; readonly nameRange: TextRange }
    | { readonly kind: 'index'; readonly target: Syntax; readonly index: Syntax }
    | {
        readonly kind: 'call';
        readonly target: Syntax | null;
        readonly name: string;
        readonly nameRange: TextRange;
        readonly arguments: readonly Syntax[];
      }
    | { readonly kind: 'unary'; readonly operator: '!' | '-'; readonly operand: Syntax }
    | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Syntax; readonly right: Syntax }
    | { readonly kind: 'conditional'; readonly condition: Syntax; readonly then: Syntax; readonly otherwise: Syntax }
    | { readonly kind: 'list'; readonly items: readonly Syntax[] }
  );

export const nestingMax = 32;
export const nodesMax = 1_000;
export const listItemsMax = 1_000;

/** Binding powers; all left-associative. */
const powers: Readonly<Record<BinaryOperator, number>> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  in: 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
};

/** The tree, or the first mistake. */
export function parseExpression(source: string): { readonly syntax: Syntax } | { readonly problem: ExpressionProblem } {
  try {
    return { syntax: new Parser(readTokens(source)).readWhole() };
  } catch (error) {
    if (error instanceof ExpressionProblem) return { problem: error };
    throw error;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #nodes = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  readWhole(): Syntax {
    const syntax = this.#readConditional();
    if (this.#next.kind !== 'end') throw this.#unexpected('an operator or the end');
    return syntax;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #take(): Token {
    const token = this.#tokens[this.#at]!;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  #isOperator(text: string): boolean {
    return this.#next.kind === 'operator' && this.#next.text === text;
  }

  #expect(text: string): Token {
    if (!this.#isOperator(text)) throw this.#unexpected(text);
    return this.#take();
  }

  #unexpected(wanted: string): ExpressionProblem {
    const found = this.#next.kind === 'end' ? 'the end' : this.#next.kind === 'string' ? 'a text' : this.#next.text;
    return problem('E_EXPRESSION_SYNTAX', `expected ${wanted}, found ${found}`, this.#next);
  }

  /** Runs one level deeper. */
  #nested<Result>(read: () => Result): Result {
    if (++this.#depth > nestingMax) throw problem('E_EXPRESSION_LIMIT', `expression is nested deeper than ${nestingMax}`, this.#next);
    const result = read();
    this.#depth--;
    return result;
  }

  #node<Node extends Syntax>(node: Node): Node {
    if (node.kind !== 'literal' && ++this.#nodes > nodesMax)
      throw problem('E_EXPRESSION_LIMIT', `expression has more than ${nodesMax} parts`, node);
    return node;
  }

  #readConditional(): Syntax {
    const condition = this.#readBinary(1);
    if (!this.#isOperator('?')) return condition;
    this.#take();
    const then = this.#nested(() => this.#readConditional());
    this.#expect(':');
    const otherwise = this.#nested(() => this.#readConditional());
    return this.#node({ kind: 'conditional', condition, then, otherwise, start: condition.start, end: otherwise.end });
  }

  #readBinary(power: number): Syntax {
    let left = this.#readUnary();
    for (;;) {
      const operator = this.#binaryOperator();
      if (operator === null || powers[operator] < power) return left;
      this.#take();
      const right = this.#readBinary(powers[operator] + 1);
      left = this.#node({ kind: 'binary', operator, left, right, start: left.start, end: right.end });
    }
  }

  #binaryOperator(): BinaryOperator | null {
    const { kind, text } = this.#next;
    if (kind !== 'operator' && !(kind === 'name' && text === 'in')) return null;
    return Object.hasOwn(powers, text) ? (text as BinaryOperator) : null;
  }

  #readUnary(): Syntax {
    if (!this.#isOperator('!') && !this.#isOperator('-')) return this.#readMember();
    const operator = this.#take();
    if (operator.text === '-' && this.#next.kind === 'int') {
      const digits = this.#take();
      return this.#readMembersOf(
        this.#node({ kind: 'literal', type: 'int', value: `-${digits.text}`, start: operator.start, end: digits.end }),
      );
    }
    const operand = this.#nested(() => this.#readUnary());
    return this.#node({ kind: 'unary', operator: operator.text as '!' | '-', operand, start: operator.start, end: operand.end });
  }

  #readMember(): Syntax {
    return this.#readMembersOf(this.#readPrimary());
  }

  #readMembersOf(first: Syntax): Syntax {
    let target = first;
    for (let links = 0; ; links++) {
      if (links > nestingMax) throw problem('E_EXPRESSION_LIMIT', `more than ${nestingMax} calls in a row`, this.#next);
      if (this.#isOperator('.')) {
        this.#take();
        target = this.#readSelection(target);
      } else if (this.#isOperator('[')) {
        this.#take();
        const index = this.#nested(() => this.#readConditional());
        const close = this.#expect(']');
        target = this.#node({ kind: 'index', target, index, start: target.start, end: close.end });
      } else {
        return target;
      }
    }
  }

  #readSelection(target: Syntax): Syntax {
    if (this.#next.kind !== 'name') throw this.#unexpected('a name after the point');
    const name = this.#take();
    if (!this.#isOperator('(')) {
      return this.#node({ kind: 'select', target, name: name.text, nameRange: name, start: target.start, end: name.end });
    }
    return this.#readCall(target, name);
  }

  #readCall(target: Syntax | null, name: Token): Syntax {
    this.#expect('(');
    const items = this.#readItems(')');
    return this.#node({
      kind: 'call',
      target,
      name: name.text,
      nameRange: name,
      arguments: items.list,
      start: target?.start ?? name.start,
      end: items.end,
    });
  }

  #readItems(close: ')' | ']'): { list: Syntax[]; end: number } {
    const list: Syntax[] = [];
    while (!this.#isOperator(close)) {
      if (list.length > 0) this.#expect(',');
      if (list.length >= listItemsMax) throw problem('E_EXPRESSION_LIMIT', `list has more than ${listItemsMax} items`, this.#next);
      list.push(this.#nested(() => this.#readConditional()));
    }
    return { list, end: this.#take().end };
  }

  #readPrimary(): Syntax {
    const token = this.#next;
    switch (token.kind) {
      case 'int':
      case 'string':
        this.#take();
        return this.#node({ kind: 'literal', type: token.kind, value: token.text, start: token.start, end: token.end });
      case 'name':
        return this.#readName(token);
      case 'operator':
        return this.#readBracket(token);
      case 'end':
        throw this.#unexpected('a value');
    }
  }

  #readName(token: Token): Syntax {
    if (token.text === 'in') throw this.#unexpected('a value');
    this.#take();
    const range = { start: token.start, end: token.end };
    if (token.text === 'true' || token.text === 'false') return this.#node({ kind: 'literal', type: 'bool', value: token.text, ...range });
    if (token.text === 'null') return this.#node({ kind: 'literal', type: 'null', value: 'null', ...range });
    if (this.#isOperator('(')) return this.#readCall(null, token);
    return this.#node({ kind: 'name', name: token.text, ...range });
  }

  #readBracket(token: Token): Syntax {
    if (token.text === '(') {
      this.#take();
      const inner = this.#nested(() => this.#readConditional());
      this.#expect(')');
      return inner;
    }
    if (token.text === '[') {
      this.#take();
      const items = this.#readItems(']');
      return this.#node({ kind: 'list', items: items.list, start: token.start, end: items.end });
    }
    throw this.#unexpected('a value');
  }
}
