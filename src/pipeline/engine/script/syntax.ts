/**
 * The small language that kernels are written in: C-like statements over 32-bit integers, doubles and bytes of memory. Its
 * expressions read like JavaScript's, but integers wrap, `/` of two of them truncates, and a variable keeps the type of its first value.
 */

export type Unary = '-' | '!' | '~';
export type Binary = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>' | '>>>' | '===' | '!==' | '<' | '<=' | '>' | '>=';
export type Assignment = '=' | '+=' | '-=' | '*=' | '|=' | '&=' | '^=';

export type Target =
  | { readonly kind: 'name'; readonly name: string }
  /** Of an array that the caller has placed in memory, or of a pointer in a variable: bytes. */
  | { readonly kind: 'index'; readonly array: string; readonly index: Node }
  /** Of a structure that the pointer in a variable leads to, or of an object that the caller knows. */
  | { readonly kind: 'property'; readonly object: string; readonly property: string };

export type Node =
  | Target
  /** `isDouble`: written with a point or an exponent, or too large for an integer. */
  | { readonly kind: 'number'; readonly value: number; readonly isDouble: boolean }
  | { readonly kind: 'call'; readonly callee: string; readonly arguments: readonly Node[] }
  | { readonly kind: 'unary'; readonly operator: Unary; readonly operand: Node }
  | { readonly kind: 'binary'; readonly operator: Binary; readonly left: Node; readonly right: Node }
  | { readonly kind: 'logic'; readonly operator: '&&' | '||'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'choice'; readonly test: Node; readonly yes: Node; readonly no: Node }
  | { readonly kind: 'assign'; readonly operator: Assignment; readonly target: Target; readonly value: Node }
  /** The value before it. */
  | { readonly kind: 'step'; readonly target: Target; readonly by: 1 | -1 }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] };

export type Statement =
  | { readonly kind: 'run'; readonly node: Node }
  | { readonly kind: 'let'; readonly name: string; readonly value: Node }
  | { readonly kind: 'if'; readonly test: Node; readonly then: readonly Statement[]; readonly otherwise: readonly Statement[] }
  | { readonly kind: 'loop'; readonly test: Node | null; readonly step: Node | null; readonly body: readonly Statement[] }
  | { readonly kind: 'block'; readonly label: string | null; readonly body: readonly Statement[] }
  /** Of the innermost loop, or of the block with the label. */
  | { readonly kind: 'break'; readonly label: string | null }
  | { readonly kind: 'continue' }
  | { readonly kind: 'return'; readonly value: Node };
