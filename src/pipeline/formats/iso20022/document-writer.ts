/**
 * The content as one JSON document, written while it is read. Elements are keys; those that may occur more than once are lists;
 * attributes are keys that begin with @ beside `#text`. Content of foreign schemas is a list of its elements in their order.
 */
import type { CompiledElement } from './schema/compiled-types.ts';

const pieceLength = 64 * 1024;

interface OpenObject {
  /** The list that is open in it. */
  list: CompiledElement | null;
  hasMembers: boolean;
}

export class DocumentWriter {
  #text = '';
  readonly #write: (text: string) => void;
  readonly #open: OpenObject[] = [];
  #foreignDepth = 0;
  /** Of the last piece of foreign content at each depth: whether something is before it. */
  readonly #foreignHas: boolean[] = [];
  #isForeignText = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  begin(message: string, namespace: string): void {
    this.#text += `{"message":${JSON.stringify(message)},"Document":{"@xmlns":${JSON.stringify(namespace)}`;
    this.#open.push({ list: null, hasMembers: true });
  }

  startObject(element: CompiledElement): void {
    this.#key(element);
    this.#text += '{';
    this.#open.push({ list: null, hasMembers: false });
  }

  endObject(): void {
    const { list } = this.#open.pop()!;
    this.#text += list === null ? '}' : ']}';
    if (this.#text.length > pieceLength) this.flush();
  }

  /** `currency`: undefined where the type has none. */
  value(element: CompiledElement, text: string, currency: string | null | undefined): void {
    this.#key(element);
    this.#text += currency === undefined ? JSON.stringify(text) : `{"@Ccy":${JSON.stringify(currency)},"#text":${JSON.stringify(text)}}`;
  }

  startForeign(element: CompiledElement): void {
    this.#key(element);
    this.#text += '[';
    this.#foreignDepth = 1;
    this.#foreignHas[1] = false;
  }

  foreignElement(name: string, namespace: string, attributes: readonly (readonly [string, string])[]): void {
    this.#endForeignText();
    if (this.#foreignHas[this.#foreignDepth]) this.#text += ',';
    this.#foreignHas[this.#foreignDepth] = true;
    const written = attributes.map(([key, value]) => `${JSON.stringify(`@${key}`)}:${JSON.stringify(value)},`).join('');
    this.#text += `{"name":${JSON.stringify(name)},"namespace":${JSON.stringify(namespace)},${written}"content":[`;
    this.#foreignHas[++this.#foreignDepth] = false;
  }

  foreignText(text: string): void {
    if (!this.#isForeignText) {
      if (this.#foreignHas[this.#foreignDepth]) this.#text += ',';
      this.#foreignHas[this.#foreignDepth] = true;
      this.#text += '"';
      this.#isForeignText = true;
    }
    this.#text += JSON.stringify(text).slice(1, -1);
    if (this.#text.length > pieceLength) this.flush();
  }

  endForeignElement(): void {
    this.#endForeignText();
    this.#foreignDepth--;
    this.#text += ']}';
  }

  endForeign(): void {
    this.#endForeignText();
    this.#foreignDepth = 0;
    this.#text += ']';
  }

  /** Closes what is open, so that the document of a file that ends too early is JSON as well. */
  end(): void {
    if (this.#open.length === 0) this.#text += '{"message":null';
    while (this.#foreignDepth > 1) this.endForeignElement();
    if (this.#foreignDepth === 1) this.endForeign();
    while (this.#open.length > 0) this.endObject();
    this.#text += '}\n';
    this.flush();
  }

  flush(): void {
    if (this.#text !== '') this.#write(this.#text);
    this.#text = '';
  }

  #endForeignText(): void {
    if (this.#isForeignText) this.#text += '"';
    this.#isForeignText = false;
  }

  #key(element: CompiledElement): void {
    const parent = this.#open.at(-1)!;
    if (parent.list === element) {
      this.#text += ',';
      return;
    }
    if (parent.list !== null) this.#text += ']';
    parent.list = null;
    if (parent.hasMembers) this.#text += ',';
    parent.hasMembers = true;
    this.#text += `"${element.tag}":`;
    if (element.max > 1) {
      this.#text += '[';
      parent.list = element;
    }
  }
}
