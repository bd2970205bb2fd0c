import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../../test/support/public-data.ts';
import { messages } from './definitions/messages.ts';
import { creditTransfers, goodMessages, readMessage, settlements, statement, wrappedSettlements } from './iso20022-files.fixture.ts';
import { iso20022Pack } from './iso20022-pack.ts';
import { textBytesMax } from './xml/xml-scanner.ts';

const broken = creditTransfers.replace('>10.10<', '>x<').replace('GB33BUKB20201555555555', 'GB00').replace('<MsgId>', '<MsgId a="1">');

describe('pieces', () => {
  it.each(Object.entries({ ...goodMessages, broken, utf16: creditTransfers.replace('UTF-8', 'UTF-16') }))(
    '%s reads the same in pieces of any size',
    (name, message) => {
      const bytes = name === 'utf16' ? Buffer.from(`\ufeff${message}`, 'utf16le') : Buffer.from(message);
      const whole = readMessage(bytes);
      expect(readMessage(bytes, { sizes: [1] })).toEqual(whole);
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 12 }), (sizes) => {
          expect(readMessage(bytes, { sizes })).toEqual(whole);
        }),
        { numRuns: 15 },
      );
    },
  );

  it('a file that ends anywhere is refused, and its document is JSON', () => {
    const bytes = Buffer.from(statement);
    for (let length = 0; length < bytes.length - 2; length += 13) {
      const { findings, document } = readMessage(bytes.subarray(0, length));
      expect(findings.map(({ code }) => code)).toEqual(['E_XML_SYNTAX']);
      expect(() => JSON.parse(document)).not.toThrow();
    }
  });
});

it.each(['pain.002.001.10', 'pain.002.001.11'])('a %s may say where a transaction is on its way', (name) => {
  const tracked = `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:${name}"><CstmrPmtStsRpt><GrpHdr><MsgId>S-1</MsgId><CreDtTm>2026-03-02T10:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>A</OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>E2E-A1</OrgnlEndToEndId><TxSts>ACSC</TxSts>
<TrckrData><ConfdDt><Dt>2026-03-02</Dt></ConfdDt><ConfdAmt Ccy="EUR">10.10</ConfdAmt><TrckrRcrd><Agt><FinInstnId><BICFI>MARKDEFFXXX</BICFI></FinInstnId></Agt></TrckrRcrd></TrckrData>
<AccptncDtTm>2026-03-02T10:00:00Z</AccptncDtTm></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`;
  expect(readMessage(tracked).findings).toEqual([]);
});

it.each([
  ['an identification', '>E2E-A1<', `>E2E-A1<!-- -->${'A'.repeat(textBytesMax)}<`],
  ['an amount', '>10.10<', `>10.10<!-- -->${' '.repeat(textBytesMax)}<!-- -->99<`],
])('a text in pieces is refused where together they are more than is read, and no piece is left out: %s', (_, before, after) => {
  const { findings } = readMessage(creditTransfers.replace(before, after));
  expect(findings.map(({ code }) => code)).toEqual(['E_XML_LIMIT']);
});

describe('the summary', () => {
  it('counts transactions and adds amounts', () => {
    expect(readMessage(creditTransfers).summary).toEqual({
      records: { read: 3, rejected: 0 },
      amounts: { instructed: { EUR: '60.35' } },
      controlTotals: {
        declared: { transactions: '3', controlSum: '60.35' },
        computed: { transactions: 3, controlSum: '60.35' },
        balanced: true,
      },
      details: { message: 'pain.001.001.09', envelope: false },
    });
    expect(readMessage(statement).summary.amounts).toEqual({ credit: { EUR: '57.00' }, debit: { EUR: '25.50' } });
  });

  it('counts transactions with an error as rejected, and does not call their totals balanced', () => {
    const { summary } = readMessage(broken);
    expect(summary.records).toEqual({ read: 3, rejected: 1 });
    expect(summary.controlTotals.balanced).toBe(false);
  });

  it('adds amounts beyond what a number holds exactly', () => {
    const large = '9999999999999.99999';
    const message = creditTransfers.replace('>10.10<', `>${large}<`).replace('Ccy="EUR"', 'Ccy="XAU"');
    expect(readMessage(message).summary.amounts).toEqual({ instructed: { XAU: large, EUR: '50.25' } });
  });
});

describe('a finding', () => {
  it('says where it is', () => {
    const lines = creditTransfers.split('\n');
    const line = lines.findIndex((text) => text.includes('<InstdAmt')) + 1;
    const column = lines[line - 1]!.indexOf('10.10') + 1;
    const [finding] = readMessage(creditTransfers.replace('>10.10<', '>10.1x<')).findings;
    expect(finding).toEqual({
      code: 'E_ISO20022_SCHEMA',
      severity: 'error',
      line,
      columns: [column, column + 4],
      offset: Buffer.byteLength(creditTransfers.slice(0, creditTransfers.indexOf('10.10'))),
      record: 'CdtTrfTxInf',
      field: 'InstdAmt',
      path: '/Document/CstmrCdtTrfInitn/PmtInf[1]/CdtTrfTxInf[1]/Amt/InstdAmt',
      concernsFile: true,
      rule: 'schema-number',
      message: 'the text is no decimal number',
    });
  });

  it('of a total points to the declared number', () => {
    const message = creditTransfers.replace('<CtrlSum>30<', '<CtrlSum>31<');
    expect(readMessage(message).findings).toMatchObject([
      {
        rule: 'payment-sum',
        path: '/Document/CstmrCdtTrfInitn/PmtInf[2]/CtrlSum',
        offset: Buffer.byteLength(message.slice(0, message.indexOf('>31<') + 1)),
      },
    ]);
  });

  it('in UTF-16 has offsets and columns of the file', () => {
    const text = creditTransfers.replace('UTF-8', 'UTF-16').replace('>20.25<', '>?<');
    const [finding] = readMessage(Buffer.from(`\ufeff${text}`, 'utf16le')).findings;
    expect(finding!.offset).toBe(2 + 2 * text.indexOf('>?<') + 2);
  });

  it('is a warning where a setting says so', () => {
    const message = creditTransfers.replace('60.35', '1').replace('BUKBGB22', 'BUKBXX22');
    const { findings } = readMessage(message, { options: { totals: 'warn', codes: 'warn' } });
    expect(findings.map(({ rule, severity }) => [rule, severity])).toEqual([
      ['bic', 'warn'],
      ['group-sum', 'warn'],
    ]);
  });

  it('names the messages that are read where the namespace is unknown', () => {
    const { findings } = readMessage(creditTransfers.replace('pain.001.001.09', 'pain.009.001.01'));
    expect(findings[0]!.message).toContain('pain.001.001.09');
  });
});

describe('the document', () => {
  it('has elements as keys, repeated ones as lists, and attributes beside the text', () => {
    const { message, Document } = JSON.parse(readMessage(creditTransfers).document);
    expect(message).toBe('pain.001.001.09');
    expect(Document['@xmlns']).toBe('urn:iso:std:iso:20022:tech:xsd:pain.001.001.09');
    const [first, second] = Document.CstmrCdtTrfInitn.PmtInf;
    expect(first.CdtTrfTxInf).toHaveLength(2);
    expect(first.CdtTrfTxInf[0].Amt.InstdAmt).toEqual({ '@Ccy': 'EUR', '#text': '10.10' });
    expect(first.CdtTrfTxInf[0].Cdtr.Nm).toBe('Muster & Söhne');
    expect(first.CdtTrfTxInf[0].Cdtr.PstlAdr).toEqual({ Ctry: 'DE', AdrLine: ['Weg 1', 'Berlin'] });
    expect(second.CdtTrfTxInf).toHaveLength(1);
  });

  it('keeps foreign content in its order', () => {
    for (const message of [settlements, wrappedSettlements.replaceAll(/p:(Extra|b)\b/g, '$1')]) {
      const { Document } = JSON.parse(readMessage(message).document);
      expect(Document.FIToFICstmrCdtTrf.SplmtryData[0].Envlp[0]).toMatchObject({ content: ['free ', { name: 'b', content: [] }, ' text'] });
    }
  });

  it('is the same for a message in an envelope', () => {
    const plain = JSON.parse(readMessage(settlements).document);
    const wrapped = JSON.parse(readMessage(wrappedSettlements).document);
    expect(wrapped.Document.FIToFICstmrCdtTrf.CdtTrfTxInf).toEqual(plain.Document.FIToFICstmrCdtTrf.CdtTrfTxInf);
  });
});

interface Expected {
  readonly file: string;
  readonly wellFormed: boolean;
  readonly schemaValid?: boolean;
}

describe('an envelope', () => {
  it('may hold the message without Document', () => {
    const bare = wrappedSettlements
      .replace('<p:Document ', '<p:FIToFICstmrCdtTrf ')
      .replace('<p:FIToFICstmrCdtTrf>', '')
      .replace('</p:Document>', '');
    const { findings, summary } = readMessage(bare);
    expect(findings).toEqual([]);
    expect(summary).toMatchObject({
      records: { read: 2 },
      controlTotals: { balanced: true },
      details: { message: 'pacs.008.001.08', envelope: true },
    });
  });

  it('has paths that begin with //', () => {
    expect(readMessage(wrappedSettlements.replace('>SLEV<', '>SLEX<')).findings).toMatchObject([
      { rule: 'schema-code', path: '//Document/FIToFICstmrCdtTrf/CdtTrfTxInf[1]/ChrgBr' },
    ]);
  });
});

interface Statement {
  readonly Id: string;
  readonly Bal: readonly {
    readonly Amt: { readonly '#text': string };
    readonly CdtDbtInd: string;
    readonly Tp: { readonly CdOrPrtry: { readonly Cd: string } };
  }[];
  readonly Ntry: readonly { readonly NtryRef: string; readonly Amt: { readonly '#text': string }; readonly CdtDbtInd: string }[];
}

describe('public files', () => {
  itWithPublicData('iso20022', 'have the verdicts of a validating parser', (folder) => {
    for (const { file, wellFormed, schemaValid } of expectedVerdicts<Expected>(folder)) {
      const { findings } = readMessage(readFileSync(join(folder, file)));
      const codes = new Set(findings.map(({ code }) => code));
      expect([file, ![...codes].some((code) => code.startsWith('E_XML_'))]).toEqual([file, wellFormed]);
      expect(codes).not.toContain('E_ISO20022_MESSAGE');
      if (schemaValid !== undefined) expect([file, !codes.has('E_ISO20022_SCHEMA')]).toEqual([file, schemaValid]);
    }
  });

  itWithPublicData('iso20022', 'have the amounts that another reader found', (folder) => {
    const path = join(folder, 'iso20022js/test/assets/goldman_sachs/camt_053_us_v2_sample');
    const parts = (document: { Document: { BkToCstmrStmt: { Stmt: Statement[] } } }) =>
      document.Document.BkToCstmrStmt.Stmt.map(({ Id, Bal, Ntry }) => ({
        Id,
        balances: Bal.map(({ Amt, CdtDbtInd, Tp }) => [Amt['#text'], CdtDbtInd, Tp.CdOrPrtry.Cd]),
        entries: Ntry.map(({ NtryRef, Amt, CdtDbtInd }) => [NtryRef, Amt['#text'], CdtDbtInd]),
      }));
    const { document } = readMessage(readFileSync(`${path}.xml`));
    expect(parts(JSON.parse(document))).toEqual(parts(JSON.parse(readFileSync(`${path}.json`, 'utf8'))));
  });

  itWithPublicData('attack', 'that attack parsers are refused', (folder) => {
    const lines = readFileSync(join(folder, 'payloadbox-xxe/Intruder/xxe-injection-payload-list.txt.txt'), 'utf8').split('\n');
    for (const line of lines.filter((text) => text.includes('<!DOCTYPE'))) expect(readMessage(line).findings).not.toEqual([]);
  });
});

describe('documentation', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/formats/iso20022.md'), 'utf8');

  it('names every rule with its code and sentence', () => {
    for (const [rule, { code, says }] of Object.entries(iso20022Pack.rules))
      expect(page).toContain(`| \`${rule}\` | \`${code}\` | ${says} |`);
  });

  it('names every message and setting', () => {
    for (const { name } of messages) expect(page).toContain(`\`${name}\``);
    for (const { name, description } of iso20022Pack.settings) expect(page).toContain(`| \`${name}\` | ${description} |`);
  });
});
