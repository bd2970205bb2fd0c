/**
 * Reads the text of a document into YAML nodes, strictly: one document, YAML 1.2 core, no tags, anchors, aliases or
 * merge keys, no key twice, at most 1 MiB and 40 levels. Knows where every path is in the text.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type ParsedNode,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { flowErrors } from '../flow-errors.ts';
import type { Diagnostic, Path, Place, PlaceFinder } from './diagnostics.ts';
import { pathText } from './diagnostics.ts';

export const documentBytesMax = 1024 * 1024;
const levelsMax = 40;
const nodesMax = 50_000;
const tokensMax = 200_000;
/** Indicators on one line, or in one pair of brackets. */
const dashesMax = 5_000;
const mistakesMax = 20;

export interface YamlSource {
  /** Null when the text is no readable document. */
  readonly root: ParsedNode | null;
  /** As far as more can be said of it: `root`, or, where all that is wrong is keys that are there twice, the document with the first of each. */
  readonly readable: ParsedNode | null;
  readonly document: Document.Parsed | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly places: PlaceFinder;
}

export function readYaml(text: string): YamlSource {
  const nowhere: PlaceFinder = { key: () => ({ line: 1, column: 1 }), value: () => ({ line: 1, column: 1 }) };
  const refuse = (message: string, place: Place = { line: 1, column: 1 }): YamlSource => ({
    root: null,
    readable: null,
    document: null,
    places: nowhere,
    diagnostics: [mistake(message, place)],
  });
  if (Buffer.byteLength(text) > documentBytesMax) return refuse('the document is larger than 1 MiB');
  // To YAML it ends a line, to those who show lines and columns it does not, and a comment would go on behind it.
  const loneReturn = text.search(/\r(?!\n)/);
  if (loneReturn >= 0)
    return refuse('a carriage return without a line feed: lines end with LF or CR LF', new TextPlaces(text).at(loneReturn));
  const hostile = findHostileToken(text);
  if (hostile !== null) return refuse(hostile.message, hostile.place);
  let documents: Document.Parsed[];
  try {
    documents = parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      strict: true,
      uniqueKeys: false,
      merge: false,
      stringKeys: true,
      prettyErrors: false,
      logLevel: 'silent',
    }) as Document.Parsed[];
  } catch {
    return refuse('the document is too deep to be read');
  }
  return checkDocuments(documents, new TextPlaces(text), refuse);
}

function checkDocuments(
  documents: Document.Parsed[],
  places: TextPlaces,
  refuse: (message: string, place?: Place) => YamlSource,
): YamlSource {
  const [document, second] = documents;
  if (document?.contents === undefined || document.contents === null) return refuse('the document is empty');
  if (document.directives.yaml.explicit === true) return refuse('directives are not allowed');
  if (second !== undefined) return refuse('a file holds one document; this is the second', places.at(second.range[0]));
  const syntax = withoutConsequences([...document.errors, ...document.warnings]).slice(0, mistakesMax);
  if (syntax.length > 0) {
    const diagnostics = syntax.map((error) => mistake(plainMessage(error.code, error.message), places.at(error.pos[0])));
    return { root: null, readable: null, document: null, places, diagnostics };
  }
  places.root = document.contents;
  const { diagnostics, isReadable } = checkNodes(document.contents, places);
  const root = diagnostics.length > 0 ? null : document.contents;
  return { root, readable: isReadable ? document.contents : null, document, places, diagnostics };
}

function mistake(message: string, place: Place, path = ''): Diagnostic {
  return { code: flowErrors.E_YAML, message, path, severity: 'error', ...place };
}

const indentationCodes: readonly string[] = ['TAB_AS_INDENT', 'BAD_INDENT', 'BLOCK_AS_IMPLICIT_KEY'];

/** Behind a line that is indented wrongly nothing is where the parser looks for it. */
function withoutConsequences<Mistake extends { readonly code: string }>(mistakes: readonly Mistake[]): readonly Mistake[] {
  const first = mistakes.findIndex(({ code }) => indentationCodes.includes(code));
  return first < 0 ? mistakes : mistakes.slice(0, first + 1);
}

/** Without the words of the text, which may hold a secret. */
function plainMessage(code: string, message: string): string {
  switch (code) {
    case 'TAG_RESOLVE_FAILED':
      return 'tags are not allowed';
    case 'BAD_ALIAS':
      return 'aliases are not allowed';
    case 'TAB_AS_INDENT':
      return 'a tab can not indent; use spaces';
    case 'RESOURCE_EXHAUSTION':
      return 'the document is too deep to be read';
    case 'NON_STRING_KEY':
      return 'keys must be plain text';
    case 'BAD_INDENT':
      return badIndent(message);
    case 'BLOCK_AS_IMPLICIT_KEY':
      return message.startsWith('Nested mappings')
        ? 'a second key in one line; a text with a colon and a space in it is put in quotes'
        : 'the line is indented otherwise than its list: the dashes of one list are in the same column';
    case 'BLOCK_IN_FLOW':
      return 'between { and }, or [ and ], a comma is missing, or a text with a colon in it is not in quotes';
    case 'BAD_SCALAR_START':
      return 'a text that begins with this character is put in quotes';
    default:
      return message
        .split('\n')[0]!
        .replace(/:? *["'`].*$/, '')
        .slice(0, 120);
  }
}

function badIndent(message: string): string {
  if (message.startsWith('Flow')) return `a ${message.includes('end with a ]') ? '[' : '{'} before this is not closed`;
  return message.includes('sequence')
    ? 'the line is indented otherwise than its list: the dashes of one list are in the same column'
    : 'the line is indented otherwise than its neighbours: the keys of one mapping begin in the same column';
}

/** Looks at the tokens only: the parser is recursive and its cost grows with the square of some hostile texts. */
function findHostileToken(text: string): { message: string; place: Place } | null {
  let [depth, dashes, tokens, line, column] = [0, 0, 0, 1, 1];
  for (const token of new Lexer().lex(text)) {
    const kind = token[0]!;
    if (kind === '[' || kind === '{') depth += token.length === 1 ? 1 : 0;
    else if (kind === ']' || kind === '}') depth -= token.length === 1 ? 1 : 0;
    else if (token === '-' || token === '?' || token === ':') dashes++;
    if (depth > levelsMax || dashes > dashesMax) return { message: `nested deeper than ${levelsMax}`, place: { line, column } };
    if (++tokens > tokensMax) return { message: 'the document has too many parts', place: { line, column } };
    const lastBreak = token.lastIndexOf('\n');
    if (lastBreak < 0) column += token.length;
    else {
      line += token.split('\n').length - 1;
      column = token.length - lastBreak;
      if (depth === 0) dashes = 0;
    }
  }
  return null;
}

/** Takes the later ones of keys that are there twice out of the tree. */
function checkNodes(root: ParsedNode, places: TextPlaces): { readonly diagnostics: Diagnostic[]; readonly isReadable: boolean } {
  const found: Diagnostic[] = [];
  let repeated = 0;
  let nodes = 0;
  const refuse = (message: string, node: unknown, path: Path): void => {
    const start = (node as Node | null)?.range?.[0] ?? 0;
    if (found.length < mistakesMax) found.push(mistake(message, places.at(start), pathText(path)));
  };
  const visit = (node: unknown, path: Path): void => {
    if (++nodes > nodesMax || path.length > levelsMax)
      refuse(nodes > nodesMax ? 'the document has too many parts' : 'the document is too deep', node, path);
    else if (isAlias(node)) refuse('aliases are not allowed; write the value out', node, path);
    else if (!isNode(node)) return;
    else if (node.anchor !== undefined) refuse('anchors are not allowed', node, path);
    else if (node.tag !== undefined) refuse('tags are not allowed', node, path);
    else if (isSeq(node)) node.items.forEach((item, index) => void visit(item, [...path, index]));
    else if (isMap(node)) visitPairs(node, path);
  };
  const visitPairs = (map: YAMLMap, path: Path): void => {
    const seen = new Set<string>();
    const later = new Set<unknown>();
    for (const pair of map.items) {
      const { key } = pair;
      if (!isScalar(key) || typeof key.value !== 'string') refuse('keys must be plain text', map, path);
      else if (key.anchor !== undefined || key.tag !== undefined) refuse('tags and anchors are not allowed', key, path);
      else if (seen.has(key.value)) {
        repeated++;
        later.add(pair);
        refuse('this key is there twice', key, [...path, key.value]);
      } else {
        seen.add(key.value);
        visit(pair.value, [...path, key.value]);
      }
    }
    if (later.size > 0) map.items = map.items.filter((pair) => !later.has(pair));
  };
  visit(root, []);
  return { diagnostics: found, isReadable: found.length === repeated };
}

class TextPlaces implements PlaceFinder {
  readonly #text: string;
  /** Offsets of the lines' beginnings. */
  readonly #lineStarts: readonly number[];
  root: ParsedNode | null = null;

  constructor(text: string) {
    this.#text = text;
    this.#lineStarts = [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
  }

  at(offset: number): Place {
    const place = Math.min(offset, this.#text.length);
    let [low, high] = [0, this.#lineStarts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= place) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: place - this.#lineStarts[low]! + 1 };
  }

  key(path: Path): Place {
    return this.at(this.#find(path).key);
  }

  value(path: Path, offset?: number): Place {
    const { node, key } = this.#find(path);
    if (node?.range === undefined || node.range === null) return this.at(key);
    return this.at(node.range[0] + (isScalar(node) && offset !== undefined ? this.#offsetInside(node, offset) : 0));
  }

  /** Quotes come first; escapes and folded lines make a plain offset wrong, so the beginning stands for them. */
  #offsetInside(node: Scalar, offset: number): number {
    const [start, end] = node.range!;
    const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0;
    const written = this.#text.slice(start + quoted, end - quoted);
    return written === node.value ? quoted + offset : 0;
  }

  #find(path: Path): { node: Node | null; key: number } {
    let node: Node | null = this.root;
    let key = node?.range?.[0] ?? 0;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
        if (pair === undefined) break;
        key = (pair.key as Scalar).range?.[0] ?? key;
        node = pair.value as Node | null;
      } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
        node = node.items[step] as Node;
        key = node.range?.[0] ?? key;
      } else break;
    }
    return { node, key };
  }
}
