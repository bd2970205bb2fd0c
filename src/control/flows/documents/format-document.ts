/**
 * The one way a document is written: keys in the order of their description, two spaces, double quotes where quotes are
 * needed, short maps on one line. Comments stay with what they stand before or after. Formatting twice changes nothing more.
 */
import { type Document, isMap, isScalar, isSeq, Lexer, type Pair, Scalar, visit, type YAMLMap } from 'yaml';
import type { Diagnostic } from './diagnostics.ts';
import { type DocumentKind, documentKinds, documentShape } from './other-shapes.ts';
import type { Shape } from './shape.ts';
import { readYaml } from './yaml-source.ts';

/** The text as it should be, or what keeps it from being read. What a key means is not checked. */
export function formatDocument(text: string): { readonly text: string } | { readonly diagnostics: readonly Diagnostic[] } {
  const source = readYaml(text.replaceAll('\r\n', '\n').replace(/^\ufeff/, ''));
  if (source.root === null || source.document === null) return { diagnostics: source.diagnostics };
  const { document } = source;
  const kind = isMap(document.contents) ? document.contents.get('kind') : null;
  if (typeof kind === 'string' && Object.hasOwn(documentKinds, kind)) sortKeys(document.contents, documentShape(kind as DocumentKind));
  normaliseScalars(document);
  const printed = document.toString({
    lineWidth: 0,
    indent: 2,
    indentSeq: true,
    flowCollectionPadding: true,
    singleQuote: false,
    minContentWidth: 0,
  });
  return { text: tightenLists(printed) };
}

/** `[ a, b ]` becomes `[a, b]`; maps keep their spaces. On tokens, so that no text is touched. */
function tightenLists(text: string): string {
  // The lexer marks documents and scalars with control characters of its own.
  const tokens = [...new Lexer().lex(text)].filter((token) => !/^[\x02\x18\x1f]$/.test(token));
  return tokens.filter((token, index) => token !== ' ' || (tokens[index - 1] !== '[' && tokens[index + 1] !== ']')).join('');
}

/** A comment before the first key belongs to the whole map, so such a map keeps its order. */
function sortKeys(node: unknown, shape: Shape): void {
  if (shape.kind === 'list' && isSeq(node)) for (const item of node.items) sortKeys(item, shape.of);
  if (shape.kind === 'map' && isMap(node)) for (const pair of node.items) sortKeys(pair.value, shape.of);
  if (shape.kind === 'variant' && isMap(node)) {
    const variant = shape.variants[String(node.get(shape.tag))];
    if (variant !== undefined) sortKeys(node, variant);
  }
  if (shape.kind !== 'object' || !isMap(node)) return;
  const order = Object.keys(shape.keys);
  for (const pair of node.items) {
    const key = keyOf(pair);
    if (Object.hasOwn(shape.keys, key)) sortKeys(pair.value, shape.keys[key]!.shape);
  }
  if (hasLooseComments(node)) return;
  const place = (pair: Pair): number => (order.includes(keyOf(pair)) ? order.indexOf(keyOf(pair)) : order.length);
  node.items.sort((a, b) => place(a) - place(b));
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function hasLooseComments(map: YAMLMap): boolean {
  return map.commentBefore != null || map.comment != null;
}

/** Texts that need quotes get double ones; the others keep none. Block texts stay blocks. */
function normaliseScalars(document: Document): void {
  visit(document, {
    Scalar(_key, node) {
      if (node.type === Scalar.QUOTE_SINGLE) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
}
