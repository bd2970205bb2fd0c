/** Parses a script into statements. Scripts are written by generators only: what is wrong in one is a bug, and thrown. */
import type { Assignment, Binary, Node, Statement, Target, Unary } from './syntax.ts';
import { type Token, tokensOf } from './tokens.ts';

const assignments: ReadonlySet<string> = new Set(['=', '+=', '-=', '*=', '|=', '&=', '^=']);
/** As in JavaScript; a higher one binds more. */
const precedence: ReadonlyMap<string, number> = new Map([
  ['||', 1],
  ['&&', 2],
  ['|', 3],
  ['^', 4],
  ['&', 5],
  ...['===', '!=='].map((operator): [string, number] => [operator, 6]),
  ...['<', '<=', '>', '>='].map((operator): [string, number] => [operator, 7]),
  ...['<<', '>>', '>>>'].map((operator): [string, number] => [operator, 8]),
  ...['+', '-'].map((operator): [string, number] => [operator, 9]),
  ...['*', '/', '%'].map((operator): [string, number] => [operator, 10]),
]);

export function parseScript(script: string): Statement[] {
  return new Parser(script).statements('');
}

class Parser {
  readonly #script: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(script: string) {
    this.#script = script;
    this.#tokens = tokensOf(script);
  }

  get #token(): Token {
    return this.#tokens[this.#at]!;
  }

  #is(text: string): boolean {
    const token = this.#token;
    return token.text === text && token.kind !== 'number';
  }

  #takeIf(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #take(text: string): void {
    if (!this.#takeIf(text)) throw this.#wrong(`${JSON.stringify(text)}`);
  }

  #wrong(wanted: string): Error {
    const { at } = this.#token;
    return new Error(
      `a script has ${wanted} at ${at}: ${this.#script.slice(Math.max(0, at - 60), at)} ⟨${this.#script.slice(at, at + 40)}⟩`,
    );
  }

  #name(): string {
    const { kind, text } = this.#token;
    if (kind !== 'name') throw this.#wrong('a name');
    this.#at++;
    return text;
  }

  /** Up to the closing mark, which is taken; '' is the script's end. */
  statements(closing: string): Statement[] {
    const list: Statement[] = [];
    while (!(closing === '' ? this.#token.kind === 'end' : this.#takeIf(closing))) this.#statement(list);
    return list;
  }

  #body(): Statement[] {
    const list: Statement[] = [];
    this.#statement(list);
    return list;
  }

  /** Several declarations in one statement are several here. */
  #statement(into: Statement[]): void {
    if (this.#takeIf(';')) return;
    this.#whole(into);
    this.#takeIf(';');
  }

  #whole(into: Statement[]): void {
    if (this.#takeIf('{')) into.push({ kind: 'block', label: null, body: this.statements('}') });
    else if (this.#takeIf('let') || this.#takeIf('const')) this.#declarations(into);
    else if (this.#takeIf('if')) {
      const test = this.#bracketed();
      const then = this.#body();
      into.push({ kind: 'if', test, then, otherwise: this.#takeIf('else') ? this.#body() : [] });
    } else if (this.#takeIf('while')) into.push({ kind: 'loop', test: this.#bracketed(), step: null, body: this.#body() });
    else if (this.#takeIf('for')) into.push(this.#for());
    else if (this.#takeIf('break')) into.push({ kind: 'break', label: this.#token.kind === 'name' ? this.#name() : null });
    else if (this.#takeIf('continue')) into.push({ kind: 'continue' });
    else if (this.#takeIf('return')) into.push({ kind: 'return', value: this.#sequence() });
    else if (this.#token.kind === 'name' && this.#tokens[this.#at + 1]!.text === ':') {
      const label = this.#name();
      this.#take(':');
      this.#take('{');
      into.push({ kind: 'block', label, body: this.statements('}') });
    } else into.push({ kind: 'run', node: this.#sequence() });
  }

  #declarations(into: Statement[]): void {
    do {
      const name = this.#name();
      this.#take('=');
      into.push({ kind: 'let', name, value: this.#expression() });
    } while (this.#takeIf(','));
  }

  #for(): Statement {
    this.#take('(');
    const body: Statement[] = [];
    if (this.#takeIf('let')) this.#declarations(body);
    else if (!this.#is(';')) body.push({ kind: 'run', node: this.#sequence() });
    this.#take(';');
    const test = this.#is(';') ? null : this.#sequence();
    this.#take(';');
    const step = this.#is(')') ? null : this.#sequence();
    this.#take(')');
    body.push({ kind: 'loop', test, step, body: this.#body() });
    return { kind: 'block', label: null, body };
  }

  #bracketed(): Node {
    this.#take('(');
    const node = this.#sequence();
    this.#take(')');
    return node;
  }

  #sequence(): Node {
    const first = this.#expression();
    if (!this.#is(',')) return first;
    const nodes = [first];
    while (this.#takeIf(',')) nodes.push(this.#expression());
    return { kind: 'sequence', nodes };
  }

  #expression(): Node {
    const left = this.#choice();
    const { text, kind } = this.#token;
    if (kind !== 'mark' || !assignments.has(text)) return left;
    this.#at++;
    return { kind: 'assign', operator: text as Assignment, target: this.#target(left), value: this.#expression() };
  }

  #target(node: Node): Target {
    if (node.kind === 'name' || node.kind === 'index' || node.kind === 'property') return node;
    throw this.#wrong('something that is assigned to');
  }

  #choice(): Node {
    const test = this.#binary(1);
    if (!this.#takeIf('?')) return test;
    const yes = this.#expression();
    this.#take(':');
    return { kind: 'choice', test, yes, no: this.#expression() };
  }

  #binary(least: number): Node {
    let left = this.#unary();
    for (;;) {
      const { text, kind } = this.#token;
      const level = kind === 'mark' ? precedence.get(text) : undefined;
      if (level === undefined || level < least) return left;
      this.#at++;
      const right = this.#binary(level + 1);
      left =
        text === '&&' || text === '||'
          ? { kind: 'logic', operator: text, left, right }
          : { kind: 'binary', operator: text as Binary, left, right };
    }
  }

  #unary(): Node {
    const { text, kind } = this.#token;
    if (kind !== 'mark' || (text !== '-' && text !== '!' && text !== '~')) return this.#stepped();
    this.#at++;
    const operand = this.#unary();
    if (text === '-' && operand.kind === 'number') return { ...operand, value: -operand.value };
    return { kind: 'unary', operator: text as Unary, operand };
  }

  #stepped(): Node {
    const node = this.#primary();
    if (this.#takeIf('++')) return { kind: 'step', target: this.#target(node), by: 1 };
    if (this.#takeIf('--')) return { kind: 'step', target: this.#target(node), by: -1 };
    return node;
  }

  #primary(): Node {
    const { text, kind } = this.#token;
    if (kind === 'number') {
      this.#at++;
      const value = Number(text);
      if (text.startsWith('0x')) return { kind: 'number', value: value | 0, isDouble: false };
      return { kind: 'number', value, isDouble: value > 0x7fffffff || text.includes('.') || text.includes('e') };
    }
    if (this.#is('(')) return this.#bracketed();
    const name = this.#name();
    if (name === 'true' || name === 'false') return { kind: 'number', value: name === 'true' ? 1 : 0, isDouble: false };
    const member = this.#takeIf('.') ? this.#name() : null;
    const whole = member === null ? name : `${name}.${member}`;
    if (this.#takeIf('(')) {
      const list: Node[] = [];
      while (!this.#takeIf(')')) {
        list.push(this.#expression());
        if (!this.#is(')')) this.#take(',');
      }
      return { kind: 'call', callee: whole, arguments: list };
    }
    if (this.#takeIf('[')) {
      const index = this.#sequence();
      this.#take(']');
      return { kind: 'index', array: whole, index };
    }
    return member === null ? { kind: 'name', name } : { kind: 'property', object: name, property: member };
  }
}
