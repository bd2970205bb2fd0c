/** Namespaces in XML 1.0 (third edition): which prefix stands for which name at the place that is read. */
import { xmlErrors } from './xml-errors.ts';
import type { XmlNames } from './xml-names.ts';
import { XmlFault } from './xml-source.ts';

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/';

/** Names, prefixes and namespaces together. */
const numbersMax = 10_000;

export const undeclared = -1;

export class XmlNamespaces {
  /** The number of the default namespace; 0: there is none. */
  unprefixed = 0;
  readonly #names: XmlNames;
  readonly #xmlPrefix: number;
  readonly #xmlnsPrefix: number;
  readonly #xml: number;
  readonly #prefixes: number[] = [];
  readonly #values: number[] = [];
  readonly #depths: number[] = [];

  constructor(names: XmlNames) {
    this.#names = names;
    this.#xmlPrefix = names.numberOf('xml');
    this.#xmlnsPrefix = names.numberOf('xmlns');
    this.#xml = names.numberOf(xmlNamespace);
  }

  /** How many declarations hold. */
  get count(): number {
    return this.#depths.length;
  }

  /** Depth of the innermost element with one; -1: there is none. */
  get depth(): number {
    return this.#depths.at(-1) ?? -1;
  }

  /** `depth`: of the element that has the declaration; `at`: where it is. */
  declare(declaration: { readonly prefix: number; readonly value: string; readonly depth: number; readonly at: number }): void {
    const { prefix, value, depth, at } = declaration;
    const isReserved =
      prefix === this.#xmlnsPrefix || value === xmlnsNamespace || (prefix === this.#xmlPrefix) !== (value === xmlNamespace);
    if (isReserved)
      throw new XmlFault(xmlErrors.E_XML_SYNTAX, 'xml-namespace', at, 'the prefixes xml and xmlns and their namespaces belong together');
    if (prefix !== 0 && value === '')
      throw new XmlFault(xmlErrors.E_XML_SYNTAX, 'xml-namespace', at, 'a prefix cannot stand for no namespace');
    if (this.#names.count > numbersMax) throw new XmlFault(xmlErrors.E_XML_LIMIT, 'xml-limit', at, 'too many different namespaces');
    this.#prefixes.push(prefix);
    this.#values.push(this.#names.numberOf(value));
    this.#depths.push(depth);
    if (prefix === 0) this.unprefixed = this.#values.at(-1)!;
  }

  /** Number of the namespace, or `undeclared`. */
  resolve(prefix: number): number {
    if (prefix === 0) return this.unprefixed;
    for (let index = this.#prefixes.length - 1; index >= 0; index--) if (this.#prefixes[index] === prefix) return this.#values[index]!;
    return prefix === this.#xmlPrefix ? this.#xml : undeclared;
  }

  /** Forgets the declarations of the element at `depth`, which ends. */
  leave(depth: number): void {
    if (this.#depths.length === 0 || this.#depths.at(-1) !== depth) return;
    while (this.#depths.at(-1) === depth) {
      this.#depths.pop();
      this.#values.pop();
      this.#prefixes.pop();
    }
    this.unprefixed = 0;
    for (let index = 0; index < this.#prefixes.length; index++) if (this.#prefixes[index] === 0) this.unprefixed = this.#values[index]!;
  }
}
