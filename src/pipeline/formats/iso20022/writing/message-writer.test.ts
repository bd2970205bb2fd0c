import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../../../test/support/public-data.ts';
import { writeDocument } from '../../writing/pack-writing.fixture.ts';
import { creditTransfers, goodMessages, readMessage, returns, settlements, statement } from '../iso20022-files.fixture.ts';
import { iso20022Pack } from '../iso20022-pack.ts';
import { HeldText } from './held-text.ts';
import { refusalOf, writeMessage } from './written-messages.fixture.ts';

const documentOf = (message: string | Buffer) => JSON.parse(readMessage(message).document);

/** Public files have accounts and totals that are made up. */
const lenient = { totals: 'warn', codes: 'warn', currencyDecimals: 'warn' };

describe('a document that was parsed', () => {
  it.each(Object.entries(goodMessages))('of %s is written as a message with the same document', (_, message) => {
    const document = documentOf(message);
    const { text, written } = writeMessage(document);
    expect(readMessage(text).findings).toEqual(readMessage(message).findings.filter(({ severity }) => severity === 'warn'));
    expect(documentOf(text)).toEqual(document);
    expect(writeMessage(documentOf(text)).text).toBe(text);
    expect(written.records).toBe(readMessage(message).summary.records.read);
  });

  itWithPublicData('iso20022', 'of a good public file is written as a message with the same document', (folder) => {
    let written = 0;
    for (const { file } of expectedVerdicts<{ readonly file: string }>(folder)) {
      const message = readFileSync(join(folder, file));
      const { findings, document } = readMessage(message, { options: lenient });
      if (findings.some(({ severity }) => severity === 'error')) continue;
      const { text } = writeMessage(JSON.parse(document), lenient);
      expect([file, readMessage(text).document]).toEqual([file, document]);
      written++;
    }
    expect(written).toBeGreaterThan(15);
  });
});

describe('the text', () => {
  it('has an element a line, and the order of the definition whatever that of the keys', () => {
    const document = documentOf(creditTransfers);
    const { text } = writeMessage(document);
    expect(text).toContain('\n          <InstdAmt Ccy="EUR">10.10</InstdAmt>\n');
    expect(text.split('\n').slice(0, 5)).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">',
      '  <CstmrCdtTrfInitn>',
      '    <GrpHdr>',
      '      <MsgId>M-1</MsgId>',
    ]);
    const { PmtInf, ...others } = document.Document.CstmrCdtTrfInitn;
    document.Document.CstmrCdtTrfInitn = { ...(reversed(others) as object), PmtInf: PmtInf.map(lastReversed) };
    expect(writeMessage(document).text).toBe(text);
  });

  it('is the same for an element of empty lists as for an empty one', () => {
    const document = documentOf(statement);
    document.Document.BkToCstmrStmt.Stmt[0].Ntry[0].NtryDtls[0].TxDtls = [];
    const { text } = writeMessage(document);
    expect(text).toContain('<NtryDtls/>');
    expect(writeMessage(documentOf(text)).text).toBe(text);
  });

  it('is the same for documents in pieces of any size', () => {
    const { document } = readMessage(creditTransfers);
    const { text } = writeMessage(JSON.parse(document));
    for (const size of [1, 7, 100]) expect(writeDocument(iso20022Pack, Buffer.from(document), {}, [size]).text).toBe(text);
  });

  it('is refused where a key comes after a list that it is written before', () => {
    const document = documentOf(creditTransfers);
    const { GrpHdr, PmtInf } = document.Document.CstmrCdtTrfInitn;
    document.Document.CstmrCdtTrfInitn = { PmtInf, GrpHdr };
    expect(refusalOf(document)).toEqual([
      'E_ISO20022_DOCUMENT',
      '/Document/CstmrCdtTrfInitn/GrpHdr: it comes after PmtInf, before which it is written',
    ]);
  });

  it('keeps every character that XML has', () => {
    const document = documentOf(creditTransfers);
    const name = `a & b < c > d " e ' f\tg ]]> é 漢 \u{1F600} \u0085\u2028`;
    document.Document.CstmrCdtTrfInitn.GrpHdr.InitgPty.Nm = `${name}\r\nx\ry`;
    expect(documentOf(writeMessage(document).text)).toEqual(document);
  });

  it.each(['\u0000', '\u000b', '\ufffe', '\uffff'])('refuses a character that XML does not have (%j)', (name) => {
    const document = documentOf(creditTransfers);
    document.Document.CstmrCdtTrfInitn.PmtInf[1].CdtTrfTxInf[0].Cdtr.Nm = name;
    expect(refusalOf(document)).toEqual([
      'E_ISO20022_DOCUMENT',
      '/Document/CstmrCdtTrfInitn/PmtInf/1/CdtTrfTxInf/0/Cdtr/Nm: the text holds a character that XML does not have',
    ]);
  });

  it.each([
    ['/0/content/1: two texts behind each other', [{ name: 'A', namespace: 'urn:a', content: ['x', 'y'] }]],
    ['/0/name: no name of XML', [{ name: 'a:b', namespace: 'urn:a' }]],
    ['/0/name: no name of XML', [{ name: 'A><B', namespace: 'urn:a' }]],
    ['/0/@a b: no name of XML', [{ name: 'A', namespace: 'urn:a', '@a b': '' }]],
    ['/0/@xmlns: namespaces are written', [{ name: 'A', namespace: 'urn:a', '@xmlns': 'urn:b' }]],
    ['/0/extra: there is no such key', [{ name: 'A', namespace: 'urn:a', extra: 1 }]],
    ['/0/content: a list is wanted', [{ name: 'A', namespace: 'urn:a', content: 'x' }]],
    [': a list is wanted', { name: 'A' }],
  ])('refuses foreign content that is none: %s', (message, Envlp) => {
    const document = documentOf(settlements);
    document.Document.FIToFICstmrCdtTrf.SplmtryData = [{ Envlp }];
    const [code, text] = refusalOf(document)!;
    expect(code).toBe('E_ISO20022_DOCUMENT');
    expect(text.startsWith(`/Document/FIToFICstmrCdtTrf/SplmtryData/0/Envlp${message}`)).toBe(true);
  });

  it('keeps foreign content with its namespaces, attributes and white space', () => {
    const foreign = `<SplmtryData><Envlp><e:Extra xmlns:e="urn:e" xmlns:f="urn:f" a="1&#10;2" f:a="&quot;" xml:lang="de"> <e:b/>\n text <f:c f:d="&lt;">&amp;</f:c><plain xmlns=""/></e:Extra></Envlp></SplmtryData></FIToFICstmrCdtTrf>`;
    const document = documentOf(settlements.replace('</FIToFICstmrCdtTrf>', foreign));
    const { text } = writeMessage(document);
    expect(documentOf(text)).toEqual(document);
    expect(document.Document.FIToFICstmrCdtTrf.SplmtryData[1].Envlp[0]).toMatchObject({
      '@a': '1\n2',
      '@{urn:f}a': '"',
      '@{http://www.w3.org/XML/1998/namespace}lang': 'de',
    });
  });
});

describe('totals', () => {
  it('are computed where they have to be there and are absent, or are null', () => {
    const document = documentOf(creditTransfers);
    const message = document.Document.CstmrCdtTrfInitn;
    delete message.GrpHdr.NbOfTxs;
    message.GrpHdr.CtrlSum = null;
    message.PmtInf[0].NbOfTxs = null;
    message.PmtInf[0].CtrlSum = null;
    delete message.PmtInf[1].CtrlSum;
    const written = documentOf(writeMessage(document).text).Document.CstmrCdtTrfInitn;
    expect(written.GrpHdr).toMatchObject({ NbOfTxs: '3', CtrlSum: '60.35' });
    expect(written.PmtInf[0]).toMatchObject({ NbOfTxs: '2', CtrlSum: '30.35' });
    expect(written.PmtInf[1]).not.toHaveProperty('CtrlSum');
  });

  it('of settlements are computed in the currency that is given', () => {
    const document = documentOf(settlements);
    document.Document.FIToFICstmrCdtTrf.GrpHdr.TtlIntrBkSttlmAmt = { '@Ccy': 'USD', '#text': null };
    expect(writeMessage(document).text).toContain('<TtlIntrBkSttlmAmt Ccy="USD">300.00</TtlIntrBkSttlmAmt>');
    const { GrpHdr, CdtTrfTxInf } = document.Document.FIToFICstmrCdtTrf;
    GrpHdr.TtlIntrBkSttlmAmt['@Ccy'] = 'JPY';
    for (const { IntrBkSttlmAmt } of CdtTrfTxInf) IntrBkSttlmAmt['@Ccy'] = 'JPY';
    expect(writeMessage(document).text).toContain('<TtlIntrBkSttlmAmt Ccy="JPY">300</TtlIntrBkSttlmAmt>');
  });

  it('of a group that is returned are those of the original, and have to be given', () => {
    const document = documentOf(returns);
    const message = document.Document.PmtRtr;
    message.GrpHdr.GrpRtr = 'true';
    message.GrpHdr.NbOfTxs = null;
    delete message.GrpHdr.TtlRtrdIntrBkSttlmAmt;
    expect(refusalOf(document)).toBeNull();
    delete message.TxInf;
    expect(refusalOf(document)).toEqual([
      'E_ISO20022_DOCUMENT',
      '/Document/PmtRtr/GrpHdr/NbOfTxs: of a group that is returned it is that of the original; give it',
    ]);
    message.GrpHdr.NbOfTxs = '7';
    expect(refusalOf(document)).toBeNull();
  });

  it('are refused where more than a bound would be held for them', () => {
    const pieces: string[] = [];
    const text = new HeldText((piece) => void pieces.push(piece), 10);
    text.write('a'.repeat(20));
    const gap = text.gap('/NbOfTxs');
    text.write('b'.repeat(10));
    expect(() => text.write('c')).toThrow('/NbOfTxs: a number that is to be computed stands before more than 10 characters; give it');
    text.fill(gap, '7');
    expect(pieces.join('')).toBe(`${'a'.repeat(20)}7${'b'.repeat(10)}`);
  });

  it('that are given and wrong are refused with what is right, or kept where a setting says so', () => {
    const document = documentOf(creditTransfers);
    document.Document.CstmrCdtTrfInitn.PmtInf[1].CtrlSum = '31';
    expect(refusalOf(document)).toEqual([
      'E_ISO20022_DOCUMENT',
      expect.stringMatching(/^\/Document\/CstmrCdtTrfInitn\/PmtInf\/1\/CtrlSum: .*\b30\b.*\(rule payment-sum\)$/),
    ]);
    expect(writeMessage(document, { totals: 'warn' }).text).toContain('<CtrlSum>31</CtrlSum>');
  });
});

/** A payment information with its keys turned round, but for the list of transactions, which stays the last one. */
function lastReversed({ CdtTrfTxInf, ...others }: Record<string, unknown>): unknown {
  return { ...(reversed(others) as object), CdtTrfTxInf: (CdtTrfTxInf as unknown[]).map(reversed) };
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}
