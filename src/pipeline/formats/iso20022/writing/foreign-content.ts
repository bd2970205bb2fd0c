/**
 * Content of foreign schemas (`Envlp`) as XML, from the list of elements and texts that the document has for it. Nothing is put
 * between them: white space there may be content.
 */
import { type JsonValue, pointerTo } from '../../documents/document-stream.ts';
import type { DocumentValues, JsonMembers } from '../../writing/document-values.ts';
import { escapeAttribute, escapeText, isXmlName, isXmlText } from './xml-escapes.ts';

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';

export class ForeignContent {
  readonly #values: DocumentValues;

  constructor(values: DocumentValues) {
    this.#values = values;
  }

  text(content: readonly JsonValue[], pointer: string): string {
    return this.#content(content, pointer, null);
  }

  /** `namespace` is the default one where the content stands; null: not known, so that it is declared. */
  #content(content: readonly JsonValue[], pointer: string, namespace: string | null): string {
    let text = '';
    for (const [position, item] of content.entries()) {
      const place = pointerTo(pointer, position);
      if (item.kind === 'string' && content[position - 1]?.kind === 'string')
        throw this.#values.refuse(place, 'two texts behind each other would be read as one');
      if (item.kind === 'string') text += escapeText(this.#xmlText(item.value, place));
      else text += this.#element(this.#values.object(item, place), place, namespace);
    }
    return text;
  }

  #element(element: JsonMembers, pointer: string, outer: string | null): string {
    const values = this.#values;
    values.onlyKeys(element, (key) => key === 'name' || key === 'namespace' || key === 'content' || key.startsWith('@'), pointer);
    const name = this.#name(values.optionalText(element, 'name', pointer) ?? '', pointerTo(pointer, 'name'));
    const namespace = this.#xmlText(values.optionalText(element, 'namespace', pointer) ?? '', pointerTo(pointer, 'namespace'));
    const declaration = namespace === outer ? '' : ` xmlns="${escapeAttribute(namespace)}"`;
    const attributes = this.#attributes(element, pointer);
    const content = this.#content(values.optionalList(element, 'content', pointer), pointerTo(pointer, 'content'), namespace);
    return `<${name}${declaration}${attributes}${content === '' ? '/>' : `>${content}</${name}>`}`;
  }

  /** `@key`, or `@{namespace}key`, for which a prefix is declared in the tag itself. */
  #attributes(element: JsonMembers, pointer: string): string {
    let text = '';
    let prefixes = 0;
    for (const [key, value] of element) {
      if (!key.startsWith('@')) continue;
      const place = pointerTo(pointer, key);
      const [, namespace, local] = /^@(?:\{([^{}]+)\})?(.*)$/s.exec(key)!;
      const name = this.#name(local!, place);
      if (namespace === undefined && name === 'xmlns') throw this.#values.refuse(place, 'namespaces are written by themselves');
      const prefix = namespace === undefined ? '' : namespace === xmlNamespace ? 'xml:' : `a${++prefixes}:`;
      if (prefix !== '' && prefix !== 'xml:') text += ` xmlns:${prefix.slice(0, -1)}="${escapeAttribute(this.#xmlText(namespace, place))}"`;
      text += ` ${prefix}${name}="${escapeAttribute(this.#xmlText(this.#values.text(value, place), place))}"`;
    }
    return text;
  }

  #name(text: string, pointer: string): string {
    if (!isXmlName(text)) throw this.#values.refuse(pointer, 'no name of XML without a colon');
    return text;
  }

  #xmlText(text: string, pointer: string): string {
    if (!isXmlText(text)) throw this.#values.refuse(pointer, 'the text holds a character that XML does not have');
    return text;
  }
}
