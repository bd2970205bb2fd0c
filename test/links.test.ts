import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const projectRoot = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const docs = readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' })
  .map((path) => `docs/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.md'));
const pages = [...readdirSync(projectRoot).filter((name) => name.endsWith('.md')), ...docs];

/** Where the links of a page lead, outside code: the address, and the path in the project for local ones. */
function localLinks(path: string, text: string): { address: string; target: string; anchor: string }[] {
  const prose = text
    .replace(/```[\s\S]*?```/g, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/`[^`\n]*`/g, 'code');
  const addresses = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s+(\S+)/gm)].map(
    ([, inline, reference]) => inline ?? reference!,
  );
  return addresses
    .filter((address) => !/^[a-z][a-z0-9+.-]*:/i.test(address))
    .map((address) => {
      const [file = '', anchor = ''] = address.split('#');
      return { address, target: file === '' ? path : posix.normalize(posix.join(posix.dirname(path), decodeURIComponent(file))), anchor };
    });
}

/** The anchors that a page offers, as its host makes them of headings. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/```[\s\S]*?```/g, '').matchAll(/^#{1,6} +(.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/ /g, '-'),
    ),
  );
}

function brokenLinks(path: string, text: string, textOf: (target: string) => string | undefined): string[] {
  return localLinks(path, text)
    .filter(({ target, anchor }) => {
      const found = target.startsWith('..') ? undefined : textOf(target);
      return found === undefined || (anchor !== '' && target.endsWith('.md') && !anchorsOf(found).has(anchor));
    })
    .map(({ address }) => `${path}: ${address}`);
}

const textOf = (target: string) => {
  const full = join(projectRoot, target);
  if (!existsSync(full)) return undefined;
  return target.endsWith('.md') ? readFileSync(full, 'utf8') : '';
};

it('every local link of the documentation leads somewhere', () => {
  expect(pages.length).toBeGreaterThan(20);
  expect(pages.flatMap((path) => brokenLinks(path, read(path), textOf))).toEqual([]);
});

it('docs/README.md leads to every page of docs, one line each', () => {
  const listed = localLinks('docs/README.md', read('docs/README.md')).map(({ target }) => target);
  const own = docs.filter((path) => path !== 'docs/README.md' && (!path.startsWith('docs/decisions/') || path.endsWith('/README.md')));
  expect(own.filter((path) => !listed.includes(path))).toEqual([]);
});

it('docs/decisions/README.md lists every decision', () => {
  const listed = localLinks('docs/decisions/README.md', read('docs/decisions/README.md')).map(({ target }) => target);
  expect(docs.filter((path) => /^docs\/decisions\/\d/.test(path) && !listed.includes(path))).toEqual([]);
});

describe('a planted link is caught', () => {
  const known = (target: string) => new Map([['docs/a.md', '# A page\n## What it holds\n']]).get(target);

  it.each([
    ['to a page that is not there', '[x](b.md)', 'docs/p.md: b.md'],
    ['to a heading that is not there', '[x](a.md#what-it-lacks)', 'docs/p.md: a.md#what-it-lacks'],
    ['that leads out of the project', '[x](../../a.md)', 'docs/p.md: ../../a.md'],
    ['by reference', '[x]: c.md', 'docs/p.md: c.md'],
  ])('%s', (_what, text, broken) => {
    expect(brokenLinks('docs/p.md', text, known)).toEqual([broken]);
  });

  it.each([
    ['a page and a heading', '[x](a.md) [y](a.md#what-it-holds) [z](../docs/a.md)'],
    ['other sites', '[x](https://example.com/b.md)'],
    ['code', '`[x](b.md)`\n\n    [x](b.md)\n'],
  ])('but not %s', (_what, text) => {
    expect(brokenLinks('docs/p.md', text, known)).toEqual([]);
  });
});
