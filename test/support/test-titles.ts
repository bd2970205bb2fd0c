/**
 * The titles of a test file as they are written in its source, with the groups they stand in: "group > test". Tests of a table
 * keep the placeholders of their title. Nothing is run, so a title that is made up elsewhere is not seen.
 */
import { parseAst } from 'vitest/node';

interface SyntaxNode {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Every "group > … > test" of the source text. */
export function testTitles(source: string): string[] {
  const titles: string[] = [];
  collectTitles(parseAst(source, { lang: 'ts' }) as unknown as SyntaxNode, [], titles);
  return titles;
}

function collectTitles(node: SyntaxNode, groups: readonly string[], titles: string[]): void {
  const call = node.type === 'CallExpression' ? nameOfTest(node['callee'] as SyntaxNode) : undefined;
  const title = call === undefined ? undefined : lastLeadingText(node['arguments'] as SyntaxNode[]);
  if (title !== undefined && call !== 'describe') titles.push([...groups, title].join(' > '));
  const inner = title !== undefined && call === 'describe' ? [...groups, title] : groups;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) collectTitles(child, inner, titles);
  }
}

/** `it`, `test` or `describe`, also behind `.each(…)` and in conditional forms such as `itWith('root')`; undefined for other calls. */
function nameOfTest(callee: SyntaxNode): string | undefined {
  if (callee.type === 'Identifier') return /^(it|test|describe)(With\w*)?$/.exec(callee['name'] as string)?.[1];
  if (callee.type === 'MemberExpression') return nameOfTest(callee['object'] as SyntaxNode);
  if (callee.type === 'CallExpression') return nameOfTest(callee['callee'] as SyntaxNode);
  return undefined;
}

/** The last of the texts that the arguments begin with, when a function follows: the title stands directly before the test. */
function lastLeadingText(given: readonly SyntaxNode[]): string | undefined {
  const texts = given.map(textOf);
  const end = texts.indexOf(undefined);
  return end > 0 ? texts[end - 1] : undefined;
}

function textOf(node: SyntaxNode): string | undefined {
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node.type !== 'TemplateLiteral') return undefined;
  const parts = (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked);
  return parts.join('…');
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}
