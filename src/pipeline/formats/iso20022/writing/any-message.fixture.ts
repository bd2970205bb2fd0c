/** Documents of any message that is written, made of its definition: elements and texts as chance has it, each text of its type. */
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import type { MessageDefinition } from '../definitions/messages.ts';
import { messageTypes } from '../definitions/messages.ts';
import { familyOf } from '../rules/families.ts';
import { roles } from '../rules/roles.ts';
import { type CompiledElement, compileMessage } from '../schema/compiled-types.ts';

const samples = [
  ...[
    'DE',
    'EUR',
    'de',
    '+49-301',
    'MARKDEFF',
    'MARKDEFFXXX',
    'DEUTDEFF500',
    '529900T8BM49AURSDO55',
    'DE89370400440532013000',
    'GB33BUKB20201555555555',
  ],
  ...[
    'US0378331005',
    'DEBCDFG123',
    'CH123456',
    '123456789',
    '1234567890123',
    '12345678',
    'eb6305c9-1f7f-49de-aed0-16487c27b42d',
    'true',
    'false',
    '2026-03-02',
    '2024-02-29',
    '2026-03-02T10:00:00Z',
    '10:00:00+01:00',
  ],
  ...[
    '2026',
    '2026-03',
    '0',
    '1',
    '12',
    '123',
    '1234',
    '7.5',
    '10.00',
    '0.01',
    '999999999999.99',
    'QUJD',
    'A',
    'abc',
    'ABCD',
    'A-1 b',
    '100000123',
    'urn:x:y',
  ],
  ...[' around ', '\t', 'a\nb', 'a\r\nb\r', ' ', ']]>', '\u0085\u2028\u{1F600}', '&#13;', '<![CDATA[x]]>'],
  ...['ä & <b>', `"quoted" 'text'`, 'x'.repeat(140), 'x'.repeat(35)],
];

/** Left out: what has to agree with other elements, and is not computed. */
const omitted: ReadonlySet<string> = new Set(['TxsSummry', 'GrpRtr']);
const computed: ReadonlySet<number> = new Set([roles.groupCount, roles.groupSum, roles.paymentCount, roles.paymentSum]);
const balanceCodes: ReadonlySet<string> = new Set(['OPBD', 'CLBD']);

const codes = [...messageTypes().values()]
  .flatMap((type) => (type.kind === 'codes' ? type.codes : []))
  .filter((code) => !balanceCodes.has(code));
const textsOf = new Map<CompiledElement['type'], readonly string[]>();

/** The samples that the type takes. */
function texts(type: CompiledElement['type']): readonly string[] {
  let found = textsOf.get(type);
  if (found === undefined) {
    found = [...samples, ...codes].filter((text) => type.value!.check(Buffer.from(text), 0, Buffer.byteLength(text)) === null);
    if (found.length === 0) throw new Error('there is no sample of a type');
    textsOf.set(type, found);
  }
  return found;
}

/** Gives a whole number from 0 up to but without `below`. */
export type Choose = (below: number) => number;

export function anyMessage(message: MessageDefinition, choose: Choose): unknown {
  const { name, tag } = message;
  const { type } = compileMessage(message, familyOf(name).roles);
  return { message: name, Document: { [tag]: objectOf(type, choose, 0) } };
}

/** For properties: choices that shrink. */
export const choices = fc.array(fc.nat(9_999), { minLength: 1, maxLength: 400 }).map((numbers): Choose => {
  let at = 0;
  return (below) => numbers[at++ % numbers.length]! % below;
});

function objectOf(type: CompiledElement['type'], choose: Choose, depth: number): Record<string, unknown> {
  const { from, to } = type.oneOf;
  const one = from < to ? from + choose(to - from) : -1;
  const chosen = type.children.filter(({ tag, min }, index) =>
    index >= from && index < to ? index === one : !omitted.has(tag) && (min > 0 || choose(depth < 3 ? 2 : 8) === 0),
  );
  return Object.fromEntries(chosen.map((child) => [child.tag, childOf(child, choose, depth)]));
}

function childOf(child: CompiledElement, choose: Choose, depth: number): unknown {
  if (computed.has(child.role)) return null;
  if (child.max === 1) return contentOf(child, choose, depth);
  const count = Math.min(Math.max(child.min, 1) + choose(2), child.max);
  return Array.from({ length: count }, () => contentOf(child, choose, depth));
}

function contentOf({ type, role }: CompiledElement, choose: Choose, depth: number): unknown {
  if (type.isAny) return [{ name: 'Any', namespace: 'urn:any', '@a': '1', content: ['text ', { name: 'b', namespace: '', content: [] }] }];
  if (type.value === null) return objectOf(type, choose, depth + 1);
  const text = texts(type)[choose(texts(type).length)]!;
  if (type.value.currency === null) return text;
  return { '@Ccy': 'EUR', '#text': role === roles.groupTotal ? null : amountText(choose) };
}

const amountText = (choose: Choose): string => `${choose(9_999)}.${String(choose(100)).padStart(2, '0')}`;
