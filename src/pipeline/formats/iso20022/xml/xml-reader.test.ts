import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depthMax, type XmlProblem, XmlReader } from './xml-reader.ts';
import { textBytesMax } from './xml-scanner.ts';

/** What a handler is told, in short: `{namespace}name`, attributes, `/`, texts. */
function read(content: string | Buffer, size = Number.POSITIVE_INFINITY): { readonly told: string; readonly problem: XmlProblem | null } {
  const bytes = Buffer.from(content);
  let told = '';
  let problem: XmlProblem | null = null;
  const reader = new XmlReader(
    {
      startElement: (name, namespace, attributes) => {
        told += `<{${reader.names.textOf(namespace)}}${reader.names.textOf(name.local)}`;
        for (const { name: key, namespace: space, source, from, to } of attributes)
          told += ` {${reader.names.textOf(space)}}${reader.names.textOf(key.local)}=${JSON.stringify(source.toString('utf8', from, to))}`;
        told += '>';
      },
      endElement: () => {
        told += '</>';
      },
      text: (source, from, to) => {
        told += source.toString('utf8', from, to);
      },
      problem: (found) => {
        problem = found;
      },
    },
    [],
  );
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  reader.end();
  return { told, problem };
}

describe('a well-formed document', () => {
  it.each([
    ['<a/>', '<{}a></>'],
    ['<a  b = "1"\n c=\'"\' />', '<{}a {}b="1" {}c="\\"">' + '</>'],
    ['<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x20ac;</a>', `<{}a><>&'"A€</>`],
    ['<a>\r\n\r&#13;</a>', '<{}a>\n\n\r</>'],
    ['<a b="\t\r\n x&#10;&lt;"/>', '<{}a {}b="   x\\n<"></>'],
    ['<a><![CDATA[<&]]]></a>', '<{}a><&]</>'],
    ['<a>x<!-- - > -->y<?p?>z</a >', '<{}a>xyz</>'],
    ['<?xml version="1.0" encoding=\'utf-8\' standalone="no" ?>\n<!-- c --><a/><?p q?>\n', '<{}a></>'],
    ['\ufeff<a>ü€😀</a>', '<{}a>ü€😀</>'],
    ['<élément·1/>', '<{}élément·1></>'],
    ['<a xmlns="u"><b xmlns=""/><p:c xmlns:p="v" p:d="" d=""/></a>', '<{u}a><{}b></><{v}c {v}d="" {}d=""></></>'],
    [
      '<a xmlns:p="u" xmlns:q="v" p:x="1" q:x="2" xml:lang="en"/>',
      '<{}a {u}x="1" {v}x="2" {http://www.w3.org/XML/1998/namespace}lang="en"></>',
    ],
  ])('%j', (content, told) => {
    expect(read(content)).toEqual({ told, problem: null });
    expect(read(content, 1)).toEqual({ told, problem: null });
  });

  it.each(['utf16le', 'utf16be'])('is read in %s', (encoding) => {
    const bytes = Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><a b="ü">€😀</a>', 'utf16le');
    if (encoding === 'utf16be') bytes.swap16();
    for (const size of [1, 3, 1000]) expect(read(bytes, size)).toEqual({ told: '<{}a {}b="ü">€😀</>', problem: null });
  });
});

/** Document, rule, line and column of the first mistake. */
const malformed: readonly (readonly [string | Buffer, string, number, number])[] = [
  ['', 'xml-root', 1, 1],
  [' \n<!-- -->', 'xml-root', 2, 9],
  ['text', 'xml-root', 1, 1],
  ['<a/>\n x', 'xml-root', 2, 2],
  ['<a/>&#32;', 'xml-root', 1, 5],
  ['<a/><b/>', 'xml-root', 1, 5],
  ['<a/><![CDATA[]]>', 'xml-root', 1, 5],
  ['<a>', 'xml-end', 1, 4],
  ['<a', 'xml-end', 1, 3],
  ['<a b="', 'xml-end', 1, 7],
  ['<a><!-- --', 'xml-end', 1, 11],
  ['<a><', 'xml-end', 1, 5],
  ['<a></b>', 'xml-nesting', 1, 4],
  ['<a></a b>', 'xml-nesting', 1, 4],
  ['<a><b></a></b>', 'xml-nesting', 1, 7],
  ['</a>', 'xml-nesting', 1, 1],
  ['< a/>', 'xml-tag', 1, 2],
  ['<1/>', 'xml-tag', 1, 2],
  ['<-a/>', 'xml-tag', 1, 2],
  ['<a:b:c xmlns:a="u"/>', 'xml-tag', 1, 5],
  ['<:a/>', 'xml-tag', 1, 2],
  ['<a b="1"c="2"/>', 'xml-tag', 1, 9],
  ['<a /b>', 'xml-tag', 1, 4],
  ['<!ELEMENT a ANY><a/>', 'xml-tag', 1, 1],
  ['<a b/>', 'xml-attribute', 1, 5],
  ['<a b=1/>', 'xml-attribute', 1, 6],
  ['<a b="<"/>', 'xml-attribute', 1, 7],
  ['<a b="" b=""/>', 'xml-attribute', 1, 9],
  ['<a xmlns:p="u" xmlns:q="u" p:b="" q:b=""/>', 'xml-attribute', 1, 35],
  ['<p:a/>', 'xml-namespace', 1, 2],
  ['<a p:b=""/>', 'xml-namespace', 1, 4],
  ['<a xmlns:p=""/>', 'xml-namespace', 1, 4],
  ['<a xmlns:xml="u"/>', 'xml-namespace', 1, 4],
  ['<a xmlns:xmlns="u"/>', 'xml-namespace', 1, 4],
  ['<a xmlns="http://www.w3.org/2000/xmlns/"/>', 'xml-namespace', 1, 4],
  ['<a>&</a>', 'xml-reference', 1, 4],
  ['<a>& b;</a>', 'xml-reference', 1, 4],
  ['<a>&#;</a>', 'xml-reference', 1, 4],
  ['<a>&#xG;</a>', 'xml-reference', 1, 4],
  ['<a>&lt</a>', 'xml-reference', 1, 4],
  ['<a>&b;</a>', 'xml-entity', 1, 4],
  ['<a b="&c;"/>', 'xml-entity', 1, 7],
  ['<a>&#0;</a>', 'xml-character', 1, 4],
  ['<a>&#xD800;</a>', 'xml-character', 1, 4],
  ['<a>&#x110000;</a>', 'xml-character', 1, 4],
  ['<a>\u0001</a>', 'xml-character', 1, 4],
  ['<a>\uffff</a>', 'xml-character', 1, 4],
  [Buffer.from('<a>\xc0\xaf</a>', 'latin1'), 'xml-character', 1, 4],
  [Buffer.from('<a>\xe9</a>', 'latin1'), 'xml-character', 1, 4],
  [Buffer.from('<a>\xed\xa0\x80</a>', 'latin1'), 'xml-character', 1, 4],
  ['<a>\n]]></a>', 'xml-text', 2, 1],
  ['<a><!-- -- --></a>', 'xml-comment', 1, 9],
  ['<a><!-- ---></a>', 'xml-comment', 1, 9],
  ['<a><?XML ?></a>', 'xml-instruction', 1, 4],
  ['<a><?b:c ?></a>', 'xml-instruction', 1, 4],
  ['<?p+?><a/>', 'xml-instruction', 1, 4],
  ['\n<?xml version="1.0"?><a/>', 'xml-declaration', 2, 1],
  ['<?xml encoding="UTF-8"?><a/>', 'xml-declaration', 1, 1],
  ['<?xml version="1.0" standalone="maybe"?><a/>', 'xml-declaration', 1, 1],
  ['<?xml version="1.0" encoding="ISO-8859-1"?><a/>', 'xml-encoding', 1, 1],
  ['<?xml version="1.0" encoding="UTF-16"?><a/>', 'xml-encoding', 1, 1],
  [Buffer.from('<a/>', 'utf16le'), 'xml-encoding', 1, 1],
  [Buffer.from('\xff\xfe\x00\x00<\x00\x00\x00', 'latin1'), 'xml-encoding', 1, 1],
  ['<!DOCTYPE a><a/>', 'xml-doctype', 1, 1],
  ['<a/><!DOCTYPE a>', 'xml-doctype', 1, 5],
  [`<a>${'<b>'.repeat(depthMax)}`, 'xml-limit', 1, 4 + 3 * (depthMax - 1)],
  [`<${'a'.repeat(257)}/>`, 'xml-limit', 1, 2],
  [`<a ${Array.from({ length: 65 }, (_, index) => `a${index}=""`).join(' ')}/>`, 'xml-limit', 1, 4 + 6 * 10 + 7 * 54],
  [`<a b="${'x'.repeat(16 * 1024 + 1)}"/>`, 'xml-limit', 1, 7],
  [`<a${' '.repeat(256 * 1024)}/>`, 'xml-limit', 1, 1],
  [`<a>${'x'.repeat(textBytesMax + 1)}</a>`, 'xml-limit', 1, 4],
  [`<a><!--${'x'.repeat(textBytesMax)}--></a>`, 'xml-limit', 1, 4],
  [`<a>${Array.from({ length: 4_000 }, (_, index) => `<b${index}/>`).join('')}</a>`, 'xml-limit', 1, 30_887],
];

describe('a document that is not well-formed', () => {
  it.each(malformed.map(([content, rule, line, column]) => ({ text: String(content).slice(0, 50), content, rule, line, column })))(
    '$text: $rule',
    ({ content, rule, line, column }) => {
      const { problem } = read(content);
      expect(problem).toMatchObject({ rule, line, column });
      expect(read(content, content.length > 5_000 ? 999 : 1).problem).toEqual(problem);
    },
  );
});

describe('a hostile document', () => {
  const laughs = Array.from({ length: 9 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`).join('');

  it.each([
    ['entities in entities', `<!DOCTYPE a [<!ENTITY l0 "lol">${laughs}]><a>&l9;</a>`, 'E_XML_DTD'],
    ['one long entity, often', `<!DOCTYPE a [<!ENTITY x "${'x'.repeat(50_000)}">]><a>${'&x;'.repeat(5_000)}</a>`, 'E_XML_DTD'],
    ['an entity of a file', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'E_XML_DTD'],
    ['an outer document type', '<!DOCTYPE a PUBLIC "x" "http://192.0.2.1/x.dtd"><a/>', 'E_XML_DTD'],
    ['a parameter entity', '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://192.0.2.1/x">%x;]><a/>', 'E_XML_DTD'],
    ['an entity that nothing declares', '<a>&x;</a>', 'E_XML_ENTITY'],
    ['elements nested 100,000 deep', '<a>'.repeat(100_000), 'E_XML_LIMIT'],
    ['a million attributes', `<a ${Array.from({ length: 1_000_000 }, (_, index) => `b${index}=""`).join(' ')}/>`, 'E_XML_LIMIT'],
    ['a text of 8 MiB', `<a>${'x'.repeat(8 * 1024 * 1024)}</a>`, 'E_XML_LIMIT'],
    ['a comment without end', `<a><!--${' '.repeat(8 * 1024 * 1024)}`, 'E_XML_LIMIT'],
    ['UTF-7', '+ADw-a/+AD4-', 'E_XML_SYNTAX'],
  ])('with %s is refused', (_, content, code) => {
    expect(read(content, 64 * 1024).problem).toMatchObject({ code });
  });

  it('that comes byte by byte costs linear time', () => {
    const content = `<a b="${'y'.repeat(16_000)}">${'x'.repeat(200_000)}<!--${'z'.repeat(200_000)}--></a>`;
    expect(read(content, 1).problem).toBe(null);
  });
});

describe('pieces', () => {
  it('of any size tell the same', () => {
    const tokens = [
      '<',
      '>',
      '/',
      '"',
      '=',
      ' ',
      '\n',
      '\r',
      '&amp;',
      '&#9;',
      '&x;',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?p',
      '?>',
      'a',
      'b',
      ':',
      'é',
      '😀',
      '<a>',
      '</a>',
      '<b/>',
      ' c="d"',
      ' xmlns="u"',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (parts, size) => {
        const content = `<a>${parts.join('')}</a>`;
        const whole = read(content);
        const pieces = read(content, size);
        // What was told before a mistake may be less where the mistake is in a text that is not yet told.
        expect(pieces).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });
});
