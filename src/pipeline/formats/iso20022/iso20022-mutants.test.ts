import { describe, expect, it } from 'vitest';
import {
  creditTransfers,
  directDebits,
  goodMessages,
  mandatedTransfer,
  notification,
  readMessage,
  returns,
  settlements,
  statement,
  wrappedSettlements,
} from './iso20022-files.fixture.ts';
import { iso20022Pack } from './iso20022-pack.ts';

/** Of one rule: a good message and what is put in place of its first match. */
type Mutant = readonly [
  rule: string,
  message: string,
  search: string | RegExp,
  replacement: string,
  options?: Readonly<Record<string, string>>,
];

const mutants: readonly Mutant[] = [
  ['xml-encoding', creditTransfers, 'UTF-8', 'ISO-8859-1'],
  ['xml-declaration', creditTransfers, '<?xml', ' <?xml'],
  ['xml-declaration', creditTransfers, 'version="1.0"', 'version="1.1"'],
  ['xml-character', creditTransfers, 'Invoice', 'Invo\u0001ice'],
  ['xml-character', creditTransfers, 'Invoice', '&#0;'],
  ['xml-tag', creditTransfers, '<GrpHdr>', '<GrpHdr/ >'],
  ['xml-attribute', creditTransfers, 'Ccy="EUR"', 'Ccy="EUR" Ccy="EUR"'],
  ['xml-attribute', creditTransfers, 'Ccy="EUR"', 'Ccy=EUR'],
  ['xml-namespace', creditTransfers, '<MsgId>M-1</MsgId>', '<q:MsgId>M-1</q:MsgId>'],
  ['xml-nesting', creditTransfers, '</MsgId>', '</MsgID>'],
  ['xml-reference', creditTransfers, '&amp;', '&'],
  ['xml-text', creditTransfers, 'Invoice', ']]>'],
  ['xml-comment', creditTransfers, '<GrpHdr>', '<!-- a -- b --><GrpHdr>'],
  ['xml-instruction', creditTransfers, '<GrpHdr>', '<?XML a?><GrpHdr>'],
  ['xml-root', creditTransfers, '</Document>', '</Document><a/>'],
  ['xml-root', creditTransfers, '</Document>', '</Document>text'],
  ['xml-end', creditTransfers, '</Document>', ''],
  ['xml-doctype', creditTransfers, '<Document', '<!DOCTYPE Document SYSTEM "http://example.test/x.dtd"><Document'],
  ['xml-entity', creditTransfers, '&amp;', '&nbsp;'],
  ['xml-limit', creditTransfers, '<GrpHdr>', `<${'a'.repeat(300)}/><GrpHdr>`],
  ['message-missing', creditTransfers, /Document/g, 'Dokument'],
  ['message-unknown', creditTransfers, 'pain.001.001.09', 'pain.001.001.99'],
  ['document-once', wrappedSettlements, '</Envelope>', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"/></Envelope>'],
  ['schema-element', creditTransfers, '<GrpHdr><MsgId>', '<GrpHdr><Extra/><MsgId>'],
  ['schema-element', creditTransfers, '<MsgId>M-1', '<MsgId xmlns="urn:other">x</MsgId><MsgId>M-1'],
  ['schema-element', creditTransfers, '<Nm>Sender', '<Nm><b/>Sender'],
  [
    'schema-order',
    creditTransfers,
    '<CtrlSum>60.35</CtrlSum><InitgPty><Nm>Sender</Nm></InitgPty>',
    '<InitgPty><Nm>Sender</Nm></InitgPty><CtrlSum>60.35</CtrlSum>',
  ],
  ['schema-missing', creditTransfers, '<MsgId>M-1</MsgId>', ''],
  ['schema-missing', creditTransfers, /<InitgPty>.*?<\/InitgPty>/, ''],
  ['schema-missing', creditTransfers, '<Dt>2026-03-03</Dt>', ''],
  ['schema-repeated', creditTransfers, '<MsgId>M-1</MsgId>', '<MsgId>M-1</MsgId><MsgId>M-1</MsgId>'],
  ['schema-repeated', creditTransfers, '<AdrLine>Weg 1</AdrLine>', '<AdrLine>x</AdrLine>'.repeat(8)],
  ['schema-choice', creditTransfers, '<Dt>2026-03-03</Dt>', '<Dt>2026-03-03</Dt><DtTm>2026-03-03T00:00:00</DtTm>'],
  ['schema-text', creditTransfers, '<GrpHdr>', '<GrpHdr>text'],
  ['schema-attribute', creditTransfers, ' Ccy="EUR"', ''],
  ['schema-attribute', creditTransfers, '<MsgId>', '<MsgId a="b">'],
  ['schema-attribute', creditTransfers, '<Document ', '<Document a="b" '],
  ['schema-length', creditTransfers, 'M-1', 'M'.repeat(36)],
  ['schema-length', creditTransfers, 'M-1', ''],
  ['schema-length', creditTransfers, 'M-1', 'ä'.repeat(36)],
  ['schema-pattern', creditTransfers, 'GB33BUKB20201555555555', 'gb33BUKB20201555555555'],
  ['schema-pattern', creditTransfers, 'Ccy="EUR"', 'Ccy="eur"'],
  ['schema-pattern', creditTransfers, '<NbOfTxs>3<', '<NbOfTxs>3.0<'],
  ['schema-code', creditTransfers, '<PmtMtd>TRF', '<PmtMtd>TRX'],
  ['schema-number', creditTransfers, '>10.10<', '>10,10<'],
  ['schema-digits', creditTransfers, '>10.10<', '>10.100001<'],
  ['schema-digits', creditTransfers, '>10.10<', '>123456789012345678.1<'],
  ['schema-range', creditTransfers, '>10.10<', '>-10.10<'],
  ['schema-date', creditTransfers, '2026-03-03', '2026-02-29'],
  ['schema-date', creditTransfers, 'T10:00:00', 'T10:60:00'],
  ['schema-boolean', creditTransfers, '>true<', '>TRUE<'],
  ['schema-binary', mandatedTransfer, 'QUJD', 'QUJ'],
  ['group-count', creditTransfers, '<NbOfTxs>3<', '<NbOfTxs>4<'],
  ['group-sum', creditTransfers, '60.35', '60.36'],
  ['payment-count', creditTransfers, '<NbOfTxs>1<', '<NbOfTxs>2<'],
  ['payment-sum', creditTransfers, '<CtrlSum>30<', '<CtrlSum>30.000001<'],
  ['group-count', directDebits, '<NbOfTxs>1<', '<NbOfTxs>0<'],
  ['group-sum', directDebits, '<CtrlSum>12.34', '<CtrlSum>12.33'],
  ['group-count', returns, '<NbOfTxs>1<', '<NbOfTxs>2<'],
  ['settlement-total', settlements, '>300.00<', '>300.01<'],
  ['settlement-total', returns, '>10</Ttl', '>11</Ttl'],
  ['settlement-currency', settlements, '<TtlIntrBkSttlmAmt Ccy="USD">', '<TtlIntrBkSttlmAmt Ccy="CAD">'],
  ['balance', statement, '1024.50', '1024.51'],
  ['balance', statement, '<Cd>PDNG</Cd>', '<Cd>BOOK</Cd>'],
  ['entry-count', statement, '<NbOfNtries>2', '<NbOfNtries>3'],
  ['entry-sum', statement, '<Sum>25.5', '<Sum>25.4'],
  ['entry-net', statement, '<Amt>31.5<', '<Amt>31.6<'],
  ['entry-net', statement, '</Amt><CdtDbtInd>CRDT</CdtDbtInd></TtlNetNtry>', '</Amt><CdtDbtInd>DBIT</CdtDbtInd></TtlNetNtry>'],
  [
    'both-levels',
    settlements,
    '<IntrBkSttlmAmt Ccy="USD">100.00</IntrBkSttlmAmt>',
    '<IntrBkSttlmAmt Ccy="USD">100.00</IntrBkSttlmAmt><IntrBkSttlmDt>2026-03-02</IntrBkSttlmDt>',
  ],
  ['iban', creditTransfers, 'GB33BUKB20201555555555', 'GB33BUKB20201555555556'],
  ['iban', directDebits, 'DE89370400440532013000', 'DE8937040044053201300'],
  ['bic', creditTransfers, 'BUKBGB22', 'BUKBXX22'],
  ['lei', creditTransfers, '529900T8BM49AURSDO55', '529900T8BM49AURSDO56'],
  ['isin', notification, 'US0378331005', 'US0378331006'],
  ['country', creditTransfers, '<Ctry>DE', '<Ctry>QQ'],
  ['currency', creditTransfers, 'Ccy="EUR"', 'Ccy="EUX"'],
  ['currency', returns, /Ccy="EUR"/g, 'Ccy="DEM"'],
  ['currency-decimals', notification, '>500<', '>500.5<'],
  ['characters', directDebits, 'Member', 'Member*', { characters: 'latin' }],
  ['header-message', wrappedSettlements, '<MsgDefIdr>pacs.008.001.08', '<MsgDefIdr>pacs.009.001.08'],
];

const change = (message: string, search: string | RegExp, replacement: string): string => {
  const changed = message.replace(search, () => replacement);
  if (changed === message) throw new Error(`nothing to change: ${search}`);
  return changed;
};

describe('a message with one change that breaks a rule', () => {
  it.each(mutants.map((mutant, index) => ({ rule: mutant[0], index })))('$rule ($index)', ({ rule, index }) => {
    const [, message, search, replacement, options = {}] = mutants[index]!;
    expect(readMessage(message, { options }).findings).toEqual([]);
    const { findings } = readMessage(change(message, search, replacement), { options });
    expect([...new Set(findings.map((finding) => finding.rule))]).toEqual([rule]);
    expect(findings[0]).toMatchObject({ code: iso20022Pack.rules[rule]!.code, severity: rule === 'both-levels' ? 'warn' : 'error' });
  });

  it('is there for every rule of the pack', () => {
    expect([...new Set(mutants.map(([rule]) => rule))].sort()).toEqual(Object.keys(iso20022Pack.rules).sort());
  });
});

describe('a change that breaks no rule', () => {
  it.each([
    ['another name', creditTransfers, 'Sender', 'Sander'],
    ['another amount, with its sums', creditTransfers.replace('60.35', '60.36').replace('30.35', '30.36'), '10.10', '10.11'],
    ['comments, instructions and white space', creditTransfers, '<GrpHdr>', '<!-- a - b -->\r\n\t<?pi x?><GrpHdr>'],
    ['CDATA', creditTransfers, 'Sender', '<![CDATA[Sen]]>d<!-- -->er'],
    ['a prefix', creditTransfers, '<Document xmlns="', '<Document xmlns:unused="urn:other" xmlns="'],
    [
      'a hint at a schema',
      creditTransfers,
      '<Document ',
      '<Document xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="a b" ',
    ],
    ['leading zeros and a plus', creditTransfers, '<CtrlSum>60.35', '<CtrlSum> +0060.350 '],
    ['a number with leading zeros', creditTransfers, '<NbOfTxs>3', '<NbOfTxs>003'],
    ['no control sum', creditTransfers, '<CtrlSum>60.35</CtrlSum>', ''],
    ['a date with time zone', creditTransfers, '2026-03-03', '2026-03-03+14:00'],
    ['fractions of a second', creditTransfers, 'T10:00:00', 'T10:00:00.123456789'],
    ['70 characters of more than one byte', creditTransfers, 'Weg 1', '€'.repeat(70)],
    ['a withdrawn currency that is not settled', directDebits, 'Ccy="EUR"', 'Ccy="DEM"'],
    ['a second page of a statement', statement, '<PgNb>1', '<PgNb>2'],
    ['no summary', statement, /<TxsSummry>.*<\/TxsSummry>/, ''],
    [
      'a group that is returned as a whole',
      returns.replace(/<TxInf>.*<\/TxInf>/, '').replace(/<Ttl.*?<\/Ttl[A-Za-z]*>/, ''),
      '<NbOfTxs>1</NbOfTxs>',
      '<NbOfTxs>7</NbOfTxs><GrpRtr>true</GrpRtr>',
    ],
    ['an element that is empty, written short', mandatedTransfer, '<InitgPty/>', '<InitgPty></InitgPty>'],
  ])('%s', (_, message, search, replacement) => {
    expect(readMessage(change(message, search, replacement)).findings).toEqual([]);
  });
});

describe('good messages', () => {
  it.each(Object.entries(goodMessages))('%s have no finding', (_, message) => {
    const { findings, summary } = readMessage(message);
    expect(findings).toEqual([]);
    expect(summary.controlTotals.balanced).toBe(true);
  });
});
